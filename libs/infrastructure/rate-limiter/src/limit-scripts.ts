import { RedisScript } from '@morgan/redis';
import type { Algorithm } from './limit.ts';

/*
 * The meters of this library once more, in Lua, on the clock of Redis in microseconds since 2025 (small enough for
 * exact fractions in a double). That clock may be set back, or be behind after a failover: a key goes on from the last time
 * that it has seen, and is `ahead` from then on. Else what was used up a moment ago would stay so until the clock is there again.
 * KEYS: state, log. ARGV: limit, window in µs, burst, operation, its operands.
 */
const SETUP = `
local limit, window, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state, log = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = (time[1] - 1735689600) * 1000000 + time[2]
local saved = redis.call('HMGET', state, 'blocked', 'ahead', 'seen', 'full', 'last', 'used')
for i = 1, 6 do saved[i] = saved[i] or 0 end
local blocked, ahead = saved[1] + 0, saved[2] + 0
if now + ahead < saved[3] + 0 then ahead = saved[3] - now end
now = now + ahead
local meter = {}
`;

const TOKEN_BUCKET = `
local full, last = saved[4] + 0, saved[5] + 0
local perUnit = window / limit

function meter.wait(at, units) return math.max(0, math.max(full, at) + (units - burst) * perUnit - at) end

function meter.take(at, units)
  if full <= at then full, last = at, at end
  full = full + units * perUnit
end

function meter.giveBack(takenAt, units)
  if takenAt >= last then full = full - units * perUnit end
end

function meter.drain() full = math.max(full, now + burst * perUnit) end

function meter.used() return math.max(0, full - now) / perUnit end

function meter.save()
  redis.call('HSET', state, 'blocked', blocked, 'ahead', ahead, 'seen', now, 'full', full, 'last', last)
  redis.call('PEXPIRE', state, math.ceil(math.max(full - now, blocked - now, 0) / 1000) + 1)
end
`;

const SLIDING_WINDOW = `
local used = saved[6] + 0
local slot = window / 1000

local function expire(at)
  local head = redis.call('LRANGE', log, 0, 1)
  while head[1] and head[1] * slot + window <= at do
    redis.call('LTRIM', log, 2, -1)
    used = used - head[2]
    head = redis.call('LRANGE', log, 0, 1)
  end
  if not head[1] then used = 0 end
end

function meter.wait(at, units)
  expire(at)
  local windows = math.max(0, math.ceil(units / limit) - 1)
  local over, due, first = used + units - windows * limit - limit, at, 0
  while over > 0.000001 do
    local slots = redis.call('LRANGE', log, first, first + 63)
    if #slots == 0 then break end
    for i = 1, #slots, 2 do
      if over <= 0.000001 then break end
      over = over - slots[i + 1]
      due = slots[i] * slot + window
    end
    first = first + 64
  end
  if windows > 0 then due = math.ceil(due / slot) * slot + windows * window end
  return due - at
end

function meter.take(at, units)
  local number, last = math.ceil(at / slot), redis.call('LRANGE', log, -2, -1)
  if last[1] and tonumber(last[1]) >= number then redis.call('LSET', log, -1, last[2] + units)
  else redis.call('RPUSH', log, number, units) end
  used = used + units
end

function meter.giveBack(takenAt, units)
  expire(now)
  local index = redis.call('LPOS', log, math.ceil(takenAt / slot))
  if not index then return end
  local held = tonumber(redis.call('LINDEX', log, index + 1))
  redis.call('LSET', log, index + 1, math.max(0, held - units))
  used = used - math.min(held, units)
end

function meter.drain()
  expire(now)
  if used < limit then meter.take(now, limit - used) end
end

function meter.used()
  expire(now)
  return used
end

function meter.save()
  local ttl = math.ceil(math.max(blocked - now, window + 2 * slot) / 1000)
  redis.call('HSET', state, 'blocked', blocked, 'ahead', ahead, 'seen', now, 'used', used)
  redis.call('PEXPIRE', state, ttl)
  redis.call('PEXPIRE', log, ttl)
end
`;

/** Each ask is a cost and a patience in µs; the reply has the time, per ask 0 or the wait in µs, then the units in use. */
const OPERATIONS = `
local operation, reply = ARGV[4], { now }
if operation == 'decide' then
  local before, from = tonumber(ARGV[5]), math.max(now, blocked)
  for i = 6, #ARGV, 2 do
    local cost = tonumber(ARGV[i])
    local wait = from - now + meter.wait(from, before + cost)
    if wait < 0.01 and before == 0 then
      meter.take(now, cost)
      wait = 0
    else
      wait = math.max(1, math.ceil(wait))
      if wait <= tonumber(ARGV[i + 1]) then before = before + cost end
    end
    reply[#reply + 1] = wait
  end
  reply[#reply + 1] = tostring(meter.used())
elseif operation == 'correct' then
  local delta = tonumber(ARGV[6])
  if delta > 0 then meter.take(now, delta) else meter.giveBack(tonumber(ARGV[5]), -delta) end
elseif operation == 'penalize' then blocked = math.max(blocked, now + ARGV[5])
elseif operation == 'drain' then meter.drain()
elseif operation == 'used' then reply = tostring(meter.used())
end
meter.save()
return reply
`;

/** What a key holds that another program or version has left there, and that cannot be read, counts as nothing. */
const scriptOf = (meter: string) =>
  new RedisScript(`
local function run() ${SETUP} ${meter} ${OPERATIONS} end
local isDone, reply = pcall(run)
if isDone then return reply end
local fault = type(reply) == 'table' and reply.err or tostring(reply)
if not fault:find('WRONGTYPE') and not fault:find('attempt to') then return { err = fault } end
redis.call('DEL', KEYS[1], KEYS[2])
return run()
`);

/** One script per algorithm: a decision is one round trip, and the clock is that of Redis. */
export const LIMIT_SCRIPTS: Readonly<Record<Algorithm, RedisScript>> = {
  'token-bucket': scriptOf(TOKEN_BUCKET),
  'sliding-window': scriptOf(SLIDING_WINDOW),
};
