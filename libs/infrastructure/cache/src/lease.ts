import { RedisScript } from '@morgan/redis';

/*
 * KEYS: leases, in CLAIM the values behind them.
 */

/** Takes the leases that nobody has. ARGV: owner, milliseconds. One number a key: 1 where it was taken, and 2 more where there is a value by now. */
export const CLAIM = new RedisScript(`
  local states, count = {}, #KEYS / 2
  for index = 1, count do
    local taken = redis.call('SET', KEYS[index], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
    states[index] = taken + 2 * redis.call('EXISTS', KEYS[count + index])
  end
  return states`);

/**
 * Gives leases their full time again. One that is gone, as after a restart of Redis, is taken once more. ARGV: the owner of each,
 * milliseconds.
 */
export const RENEW = new RedisScript(`
  local ms = ARGV[#KEYS + 1]
  for index, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[index] then redis.call('PEXPIRE', key, ms)
    else redis.call('SET', key, ARGV[index], 'NX', 'PX', ms) end
  end`);

/** Gives back the leases that are still ours. ARGV: the owner of each. */
export const RELEASE = new RedisScript(`
  for index, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[index] then redis.call('DEL', key) end
  end`);

/** How often a lease is renewed in its time: one that is late, or fails, loses nothing. */
export const RENEWALS = 3;
/** More often than this would only cost: leases so short are not worth the name. */
const SHORTEST_INTERVAL_MS = 50;

const OURS = 1;
const HAS_VALUE = 2;
/** The state of a key that nobody computes and that has no value. */
export const FREE = OURS;

/** A key that was claimed, and what {@link CLAIM} said of it. */
export interface Claimed {
  readonly key: string;
  readonly state: number;
  /** Marks the lease as that of this claim. */
  readonly owner: string;
  /** Settled once the claim is over. One that came back too late may be in force all the same. Never rejects. */
  readonly over: Promise<unknown>;
}

/** How the leases of a claim are kept up. */
interface LeaseKeeper {
  readonly everyMs: number;
  renew(ours: readonly Claimed[]): void;
  release(ours: readonly Claimed[]): void;
}

/**
 * What came of a claim. The leases that were granted are renewed until they are released: whoever waits for them waits as long
 * as this process is at work, and no longer than one lease after it has died or hangs.
 */
export class Lease {
  /** Keys that this process is to compute. */
  readonly ours: readonly string[];
  /** Keys that another replica computes. */
  readonly theirs: readonly string[];
  /** Keys, of either kind, that have got a value since they were looked up. */
  readonly there: readonly string[];
  readonly #held: readonly Claimed[];
  readonly #keeper: LeaseKeeper | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(claimed: readonly Claimed[], keeper?: LeaseKeeper) {
    const keysOf = (some: readonly Claimed[]) => some.map(({ key }) => key);
    this.#held = claimed.filter(({ state }) => (state & OURS) !== 0);
    this.ours = keysOf(this.#held);
    this.theirs = keysOf(claimed.filter(({ state }) => (state & OURS) === 0));
    this.there = keysOf(claimed.filter(({ state }) => (state & HAS_VALUE) !== 0));
    if (!keeper || this.#held.length === 0) return;
    this.#keeper = keeper;
    const renew = () => keeper.renew(this.#held);
    this.#timer = setInterval(renew, Math.max(SHORTEST_INTERVAL_MS, keeper.everyMs)).unref();
  }

  /** Gives the leases back, in the background. */
  release(): void {
    clearInterval(this.#timer);
    this.#keeper?.release(this.#held);
  }
}
