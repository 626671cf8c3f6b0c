import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { STOPPED_CLOCK } from '@morgan/testing';
import { EvidenceStage, type Scenario } from '../../fixture/evidence-stage.ts';
import {
  CONTENT_CHUNK,
  cutBehindHeaders,
  events,
  json,
  refusal,
  type Reply,
  reset,
  ROLE_CHUNK,
  silence,
  text,
} from '../../fixture/scripted-host.ts';
import { EVIDENCE } from './evidence-table.ts';
import type { Outcome } from './outcome.ts';

/** What a row promises, in words of its own: nothing here is read from the table. */
interface Row extends Scenario {
  /** Whether the same call asks the second host. */
  readonly goesOn: boolean;
  /** What breaker and health count; `half`: a fault with the second time. */
  readonly counts: 'success' | 'fault' | 'half' | 'nothing';
  /** What is passed over, and for how many seconds. */
  readonly rests?: readonly [of: string, seconds: number];
  /** Where both hosts do it the request is to blame, and neither of them. */
  readonly isForgiven?: true;
}

const MODEL = 'model simulated';
const PATH = 'path /chat/completions';
const SAID = { headers: { 'retry-after': '20' } };

const raw: Reply = (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.9\r\n');
const breaksOff: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(ROLE_CHUNK + CONTENT_CHUNK, () => setTimeout(() => response.destroy(), 20));
};

const fault = (reply: Reply, rest: Scenario = {}): Row => ({ reply, goesOn: true, counts: 'fault', ...rest });
const doubtful = (reply: Reply, rest: Scenario = {}): Row => ({ ...fault(reply, rest), isForgiven: true });
const refused = (reply: Reply, rests: readonly [string, number]): Row => ({
  reply,
  goesOn: true,
  counts: 'nothing',
  rests,
});
const ofRequest = (reply: Reply): Row => ({ reply, goesOn: false, counts: 'nothing' });

const ROWS: Readonly<Record<Outcome, Row>> = {
  ok: { goesOn: false, counts: 'success' },
  malformed_request: ofRequest(refusal(400, 'messages is empty')),
  context_too_long: {
    reply: refusal(400, 'too long', { code: 'context_length_exceeded' }),
    host: { capabilities: { contextLength: 1_000 } },
    second: { capabilities: { contextLength: 100_000 } },
    goesOn: true,
    counts: 'nothing',
  },
  unsupported_by_model: {
    reply: refusal(400, "Unsupported parameter: 'temperature' is not supported with this model."),
    settings: {
      routes: [{ model: 'simulated', tiers: [[{ host: 'first' }], [{ host: 'second', model: 'other' }]] }],
    },
    goesOn: true,
    counts: 'nothing',
  },
  policy_refusal: ofRequest(refusal(403, 'The input was flagged by moderation.')),
  conflict: { reply: refusal(409, 'Busy with another.'), goesOn: true, counts: 'nothing' },
  model_not_found: refused(refusal(404, 'The model `m` does not exist.'), [MODEL, 10]),
  path_not_found: refused(json(404, { detail: 'Not Found' }), [PATH, 10]),
  credentials_rejected: refused(refusal(401, 'Incorrect API key.'), [PATH, 10]),
  quota_exhausted: refused(refusal(402, 'Insufficient credits.'), [MODEL, 10]),
  rate_limited: refused(refusal(429, 'Slow down.', SAID), [MODEL, 20]),
  overloaded: refused(refusal(529, 'Overloaded.', SAID), [MODEL, 20]),
  loading: refused(refusal(503, 'Loading model', SAID), [MODEL, 20]),
  server_error: doubtful(refusal(500, 'CUDA error.')),
  error_in_answer: doubtful(json(200, { error: { message: 'engine died' } })),
  redirect: fault(text(302, '', { location: 'http://127.0.0.1:1/' })),
  html: fault(text(200, '<html></html>', { 'content-type': 'text/html' })),
  empty: doubtful(text(200, '')),
  wrong_type: fault(text(200, 'OK')),
  bad_response: doubtful(raw),
  connect_error: fault(silence, {
    // Nobody listens there any more.
    prepare: ({ first }) => first[Symbol.asyncDispose](),
  }),
  reset: doubtful(reset),
  timeout: doubtful(silence, { isStream: true, settings: { firstByteTimeoutMs: 100 } }),
  stalled: doubtful(events('', true), {
    isStream: true,
    settings: { idleTimeoutMs: 100, streams: { stallTimeoutMs: 100 } },
  }),
  cut: doubtful(cutBehindHeaders, { isStream: true }),
  outrun: {
    reply: events(ROLE_CHUNK, true),
    isStream: true,
    settings: { firstTokenTimeoutMs: 60 },
    goesOn: true,
    counts: 'half',
  },
  cancelled: {
    host: { concurrency: { maxConcurrent: 1 } },
    isTier: true,
    isStream: true,
    settings: { firstTokenTimeoutMs: 60, maxRetryAfterWaitMs: 60_000 },
    prepare: (stage) => stage.occupy(),
    goesOn: true,
    counts: 'nothing',
  },
  interrupted: { reply: breaksOff, isStream: true, goesOn: false, counts: 'fault' },
  answer_timeout: {
    reply: silence,
    settings: { answerTimeoutMs: 100 },
    goesOn: false,
    counts: 'nothing',
  },
  saturated: {
    transport: { maxConnections: 1, poolTimeoutMs: 20 },
    prepare: (stage) => stage.occupy(),
    goesOn: true,
    counts: 'nothing',
  },
  limited: {
    host: { rateLimit: { requestsPerSecond: 0.01, burst: 1, maxWaitMs: 0 } },
    isTier: true,
    prepare: (stage) => stage.learn(1),
    goesOn: true,
    counts: 'nothing',
  },
  unsendable: { headers: { 'user-agent': 'a\nb' }, goesOn: false, counts: 'nothing' },
  stopping: {
    prepare: ({ bench }) => bench.transport.close(0),
    goesOn: false,
    counts: 'nothing',
  },
  expired: { reply: silence, deadlineMs: 60, goesOn: false, counts: 'nothing' },
  aborted: { reply: silence, leavesAfterMs: 60, goesOn: false, counts: 'nothing' },
  impatient: {
    reply: silence,
    leavesAfterMs: 600,
    prepare: (stage) => stage.learn(8),
    goesOn: false,
    counts: 'half',
  },
};

const COUNTED = {
  success: { success: 1, fault: 0 },
  fault: { success: 0, fault: 1 },
  half: { success: 0, fault: 0 },
  nothing: { success: 0, fault: 0 },
};

const rows = Object.entries(ROWS) as [Outcome, Row][];

beforeEach(() => void jest.useFakeTimers(STOPPED_CLOCK));
afterEach(() => void jest.useRealTimers());

describe('the rows', () => {
  it('are all here', () => {
    expect(Object.keys(ROWS)).toEqual(Object.keys(EVIDENCE));
  });
});

describe.each(rows)('%s', (outcome, row) => {
  it('is booked as its row says, and the call goes on or ends', async () => {
    await using stage = await EvidenceStage.start(row, jest);
    const before = stage.booked();
    const attempts = () => stage.client.getStatus().hosts[1]?.requests;
    const countedSince = () => {
      const { success, fault: faults } = stage.booked();
      return { success: success - before.success, fault: faults - before.fault };
    };
    await stage.call();
    await stage.ended(outcome, 1);
    expect(attempts()).toBe(row.goesOn ? 1 : 0);
    expect(countedSince()).toEqual(COUNTED[row.counts]);
    const [of, seconds = NaN] = row.rests ?? [];
    const [rest, ...others] = stage.client.getStatus().hosts[0]?.rests ?? [];
    expect([rest?.of, others]).toEqual([of, []]);
    if (rest) {
      expect(rest.remainingMs).toBeLessThanOrEqual(seconds * 1_000);
      expect(rest.remainingMs).toBeGreaterThan(seconds * 1_000 - 9_000);
    }
    if (row.counts !== 'half') return;
    await stage.call();
    await stage.ended(outcome, 2);
    expect(countedSince()).toEqual(COUNTED.fault);
  });
});

describe('an answer that is not there in time', () => {
  it('is half a fault where the history of the host makes that unlikely', async () => {
    const learnt: Scenario = { settings: { answerTimeoutMs: 600 }, prepare: (its) => its.learn(8) };
    await using stage = await EvidenceStage.start({ ...ROWS.answer_timeout, ...learnt }, jest);
    for (const [calls, fault] of [
      [1, 0],
      [2, 1],
    ] as const) {
      await stage.call();
      await stage.ended('answer_timeout', calls);
      expect(stage.booked().fault).toBe(fault);
    }
  });
});

describe.each(rows.filter(([, { counts, goesOn }]) => counts === 'fault' && goesOn))('%s', (outcome, row) => {
  it(`of both hosts counts against ${row.isForgiven ? 'neither' : 'both'}`, async () => {
    const prepare = async (stage: EvidenceStage) => {
      stage.second.reply = row.reply ?? stage.second.reply;
      await row.prepare?.(stage);
      if (outcome === 'connect_error') await stage.second[Symbol.asyncDispose]();
    };
    await using stage = await EvidenceStage.start({ ...row, prepare }, jest);
    await stage.call();
    await stage.ended(outcome, 1);
    const faults = row.isForgiven ? 0 : 1;
    expect([stage.booked(0).fault, stage.booked(1).fault]).toEqual([faults, faults]);
    expect(stage.client.getStatus().poisonousRequests).toBe(1 - faults);
  });
});
