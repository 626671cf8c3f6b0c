import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Verdict } from '@morgan/foundation';
import fc from 'fast-check';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { StateChange } from './circuit-status.ts';

const context = { id: 'call', signal: new AbortController().signal };
const settle = () => new Promise<void>((done) => process.nextTick(done));

type Ending = 'good' | 'bad' | 'ignored';

type Step =
  | { readonly do: 'call' }
  | { readonly do: 'end'; readonly pick: number; readonly how: Ending }
  | { readonly do: 'wait'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: 'call' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      pick: fc.nat(20),
      how: fc.constantFrom<Ending[]>('good', 'bad', 'ignored'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
);

const ALLOWED = new Set(['CLOSED OPEN', 'OPEN HALF_OPEN', 'HALF_OPEN OPEN', 'HALF_OPEN CLOSED']);

/** A call that has been let through and has not ended. */
interface Running {
  end(how: Ending): void;
  readonly admittedIn: number;
}

/** A breaker, the calls that are under way, and how many stays in a state there have been. */
class Story {
  readonly changes: StateChange[] = [];
  readonly running: Running[] = [];
  calls = 0;
  readonly breaker = new CircuitBreaker({
    name: 'host',
    failureThreshold: 3,
    halfOpenTrials: 2,
    successThreshold: 2,
    resetTimeoutMs: 1_000,
    maxResetTimeoutMs: 4_000,
    trialTimeoutMs: 2_000,
    assess: (ending) => ({
      verdict: 'error' in ending ? (ending.error as Verdict) : 'success',
      overloaded: false,
    }),
  });

  constructor() {
    this.breaker.onChange((change) => this.changes.push(change));
  }

  call(): void {
    this.calls += 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const work = () => {
      this.running.push({
        admittedIn: this.changes.length,
        end: (how) => (how === 'good' ? resolve() : reject(how === 'bad' ? 'failure' : 'ignored')),
      });
      return promise;
    };
    const before = this.running.length;
    const allowed = this.breaker.allows();
    this.breaker.execute(work, context).catch(() => undefined);
    expect(this.running.length > before).toBe(allowed);
  }

  trials(): number {
    return this.running.filter(({ admittedIn }) => admittedIn === this.changes.length).length;
  }
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

async function play(story: Story, step: Step): Promise<void> {
  switch (step.do) {
    case 'call':
      return story.call();
    case 'wait':
      return void jest.advanceTimersByTime(step.ms);
    case 'end':
      return endOne(story, step.pick, step.how);
  }
}

/** A call that was admitted in an earlier stay changes nothing when it ends. */
async function endOne({ running, changes }: Story, pick: number, how: Ending): Promise<void> {
  const before = changes.length;
  const [ended] = running.splice(pick % Math.max(1, running.length), 1);
  ended?.end(how);
  await settle();
  if (ended?.admittedIn !== before) expect(changes).toHaveLength(before);
}

describe('a breaker, whatever happens', () => {
  it('keeps its promises', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
        const story = new Story();
        for (const each of steps) {
          await play(story, each);
          const status = story.breaker.getStatus();
          const { success, failure, ignored, rejected } = status.totals;
          expect(success + failure + ignored + rejected + story.running.length).toBe(story.calls);
          if (status.state === 'HALF_OPEN') {
            expect(status.trialsInFlight).toBe(story.trials());
            expect(status.trialsInFlight).toBeLessThanOrEqual(2);
          }
          if (status.state === 'OPEN') expect(status.retryAfterMs).toBeLessThanOrEqual(4_000);
        }
        for (const { from, to } of story.changes) expect(ALLOWED).toContain(`${from} ${to}`);
        await recovers(story);
      }),
      { numRuns: 200 },
    );
  });
});

/** However it stands, and though nothing that is under way ever ends: a healthy host is in use again. */
async function recovers({ breaker }: Story): Promise<void> {
  for (let call = 0; call < 8; call += 1) {
    jest.advanceTimersByTime(4_000);
    await breaker.execute(() => Promise.resolve(), context).catch(() => undefined);
  }
  expect(breaker.state).toBe('CLOSED');
}
