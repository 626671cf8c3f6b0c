import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HealthJudge } from './health-judge.ts';
import { type HealthMonitorConfig, healthMonitorConfig } from './health-monitor.config.ts';
import type { CheckVerdict, HealthState } from './health-state.ts';

const INTERVAL_MS = 1_000;
const config: HealthMonitorConfig = healthMonitorConfig.parse({ checkIntervalMs: INTERVAL_MS });

/** A judge whose outcomes all take no time; `at` moves the clock. */
function judgeOf(overrides: Partial<HealthMonitorConfig> = {}) {
  const judge = new HealthJudge({ ...config, ...overrides });
  let now = 0;
  return {
    judge,
    at: (ms: number) => (now = ms),
    check: (...verdicts: CheckVerdict[]) =>
      verdicts.map((verdict) => judge.checked(verdict, now, now)).at(-1),
    live: (ok: boolean, beganAt = now) => judge.reported(ok, beganAt, now),
  };
}

describe('HealthJudge, by checks', () => {
  it.each([
    ['ok', 'HEALTHY'],
    ['degraded', 'HEALTHY'],
    ['failed', 'UNHEALTHY'],
  ] as const)('is decided by the first one: %s is %s', (verdict, state) => {
    const { judge, check } = judgeOf();
    expect(judge.state).toBe('UNKNOWN');
    expect(check(verdict)).toBe('first_outcome');
    expect(judge.state).toBe(state);
  });

  it('takes three failures in a row to go down and two successes in a row to come up', () => {
    const { judge, check } = judgeOf();
    check('ok', 'failed', 'failed', 'ok', 'failed', 'failed');
    expect(judge.state).toBe('HEALTHY');
    expect(check('failed')).toBe('checks_failed');
    check('ok', 'failed', 'ok');
    expect(judge.state).toBe('UNHEALTHY');
    expect(check('degraded')).toBe('recovered');
  });

  it('takes three slow ones in a row to be degraded and two fast ones in a row not to be', () => {
    const { judge, check } = judgeOf();
    check('ok', 'degraded', 'degraded', 'ok', 'degraded', 'degraded');
    expect(judge.state).toBe('HEALTHY');
    expect(check('degraded')).toBe('checks_degraded');
    check('ok', 'degraded', 'ok');
    expect(judge.state).toBe('DEGRADED');
    expect(check('ok')).toBe('checks_good');
    expect(judge.state).toBe('HEALTHY');
  });

  it('counts a failure among slow ones as slow', () => {
    const { judge, check } = judgeOf();
    check('ok', 'degraded', 'failed', 'degraded');
    expect(judge.state).toBe('DEGRADED');
  });

  it('is down at the threshold, whatever the order of slow and failed thresholds', () => {
    const { judge, check } = judgeOf({ slowThreshold: 2, failureThreshold: 4 });
    check('ok', 'failed', 'failed');
    expect(judge.state).toBe('DEGRADED');
    check('failed', 'failed');
    expect(judge.state).toBe('UNHEALTHY');
  });
});

describe('HealthJudge, by live calls', () => {
  it('goes down after a burst of failures between two checks', () => {
    const { judge, check, live } = judgeOf();
    check('ok');
    for (let failure = 1; failure < 5; failure++) expect(live(false)).toBeUndefined();
    expect(live(false)).toBe('live_calls_failed');
    expect(judge.state).toBe('UNHEALTHY');
  });

  it('does not go down when a success is among the failures, or when they are far apart', () => {
    const { judge, at, check, live } = judgeOf();
    check('ok');
    for (const ok of [false, false, false, false, true, false, false, false, false]) live(ok);
    expect(judge.state).toBe('HEALTHY');
    for (let failure = 1; failure <= 20; failure++) {
      at(INTERVAL_MS * (2 + failure / 3));
      live(false);
    }
    expect(judge.state).toBe('HEALTHY');
  });

  it('stays unknown on live failures short of a burst, and is healthy after one live success', () => {
    const { judge, live } = judgeOf();
    for (let failure = 1; failure < 5; failure++) live(false);
    expect(judge.state).toBe('UNKNOWN');
    expect(live(true)).toBe('first_outcome');
    expect(judge.state).toBe('HEALTHY');
  });

  it('counts all live successes between two checks as one towards coming up', () => {
    const { judge, at, check, live } = judgeOf();
    check('failed');
    at(10);
    for (let success = 0; success < 50; success++) live(true);
    expect(judge.state).toBe('UNHEALTHY');
    expect(check('ok')).toBe('recovered');
  });

  it('starts the row of successes again after a live failure', () => {
    const { judge, at, check, live } = judgeOf();
    check('failed');
    at(10);
    check('ok');
    live(false);
    check('ok');
    expect(judge.state).toBe('UNHEALTHY');
    check('ok');
    expect(judge.state).toBe('HEALTHY');
  });

  it('forgets the live failures of a former life', () => {
    const { judge, at, check, live } = judgeOf();
    check('ok');
    for (let failure = 1; failure < 5; failure++) live(false);
    check('failed', 'failed', 'failed');
    at(10);
    check('ok', 'ok');
    expect(judge.state).toBe('HEALTHY');
    at(20);
    for (let failure = 1; failure < 5; failure++) expect(live(false)).toBeUndefined();
    expect(live(false)).toBe('live_calls_failed');
  });

  it('does not let a call from before the fall bring it up, nor one from before the return take it down', () => {
    const { judge, at, check, live } = judgeOf({ successThreshold: 1 });
    at(100);
    check('ok', 'failed', 'failed', 'failed');
    at(200);
    live(true, 50);
    expect(judge.state).toBe('UNHEALTHY');
    check('ok');
    expect(judge.state).toBe('HEALTHY');
    at(300);
    for (let failure = 0; failure < 10; failure++) live(false, 150);
    expect(judge.state).toBe('HEALTHY');
  });

  it('ends a row of failed checks with a live call begun after the first of them, not with an older one', () => {
    const { judge, at, check, live } = judgeOf();
    check('ok');
    at(100);
    check('failed', 'failed');
    live(true, 50);
    check('failed');
    expect(judge.state).toBe('UNHEALTHY');

    const other = judgeOf();
    other.check('ok');
    other.at(100);
    other.check('failed', 'failed');
    other.live(true, 100);
    other.check('failed', 'failed');
    expect(other.judge.state).toBe('DEGRADED');
  });

  it('does not believe a check that began before the fall', () => {
    const { judge, at, check, live } = judgeOf({ successThreshold: 1 });
    check('ok');
    at(100);
    for (let failure = 0; failure < 5; failure++) live(false);
    at(150);
    expect(judge.checked('ok', 90, 150)).toBeUndefined();
    expect(judge.state).toBe('UNHEALTHY');
  });
});

type Outcome = CheckVerdict | 'live ok' | 'live failed';

const outcome = fc.constantFrom<Outcome>(
  'ok',
  'ok',
  'degraded',
  'failed',
  'failed',
  'live ok',
  'live failed',
  'live failed',
);
const times = fc.integer({ min: 1, max: 5 });
const thresholds = fc.record({
  failureThreshold: times,
  successThreshold: times,
  slowThreshold: times,
  liveFailureThreshold: times,
});

/** The last `count` outcomes that `among` lets through; none where there are fewer. */
function row(past: readonly Outcome[], among: (one: Outcome) => boolean, count: number) {
  const last = past.filter(among).slice(-count);
  return last.length === count ? last : [];
}

const isCheck = (one: Outcome) => !one.startsWith('live');
const isLive = (one: Outcome) => one.startsWith('live');

describe('HealthJudge, for any thresholds and any outcomes', () => {
  const run = (
    inspect: (step: {
      from: HealthState;
      to: HealthState;
      /** What happened since it last went down or came up. */
      life: readonly Outcome[];
      limits: typeof config;
    }) => void,
  ) =>
    fc.assert(
      fc.property(thresholds, fc.array(outcome, { maxLength: 80, size: 'max' }), (limits, sequence) => {
        const { judge, at, check, live } = judgeOf({ ...limits });
        let life: Outcome[] = [];
        sequence.forEach((one, index) => {
          at(index);
          const from = judge.state;
          if (isLive(one)) live(one === 'live ok');
          else check(one as CheckVerdict);
          life.push(one);
          inspect({ from, to: judge.state, life, limits: { ...config, ...limits } });
          if ((from === 'UNHEALTHY') !== (judge.state === 'UNHEALTHY')) life = [];
        });
      }),
      { numRuns: 500 },
    );

  it('goes down only after a full row of failures, and always after one', () => {
    run(({ from, to, life, limits }) => {
      if (from === 'UNKNOWN' || from === 'UNHEALTHY') return;
      const { failureThreshold, liveFailureThreshold } = limits;
      // A live success ends both rows here, as every call of this test takes no time.
      const sinceLiveSuccess = life.slice(life.lastIndexOf('live ok') + 1);
      const checks = row(sinceLiveSuccess, isCheck, failureThreshold);
      const calls = row(sinceLiveSuccess, isLive, liveFailureThreshold);
      const due =
        (checks.length > 0 && checks.every((one) => one === 'failed')) ||
        (calls.length > 0 && calls.every((one) => one === 'live failed'));
      expect(to === 'UNHEALTHY').toBe(due);
    });
  });

  it('comes up exactly after a full row of successes, live ones between two checks being one', () => {
    let successes = 0;
    let isLiveOpen = true;
    run(({ from, to, life, limits }) => {
      const one = life.at(-1) as Outcome;
      if (from === 'UNKNOWN') isLiveOpen = true;
      if (life.length === 1) successes = 0;
      if (from === 'UNHEALTHY') {
        if (one === 'failed' || one === 'live failed') successes = 0;
        else if (isCheck(one) || isLiveOpen) successes += 1;
        expect(to !== 'UNHEALTHY').toBe(successes >= limits.successThreshold);
        if (one === 'live ok') isLiveOpen = false;
      }
      if (isCheck(one)) isLiveOpen = true;
    });
  });

  it('moves between healthy and degraded exactly after a full row of checks', () => {
    let checks: Outcome[] = [];
    run(({ from, to, life, limits }) => {
      const one = life.at(-1) as Outcome;
      if (from === 'UNKNOWN' && life.length === 1) checks = [];
      if (isCheck(one)) checks.push(one);
      const slow = row(checks, isCheck, limits.slowThreshold);
      const fast = row(checks, isCheck, limits.successThreshold);
      if (from === 'HEALTHY' && to !== 'UNHEALTHY') {
        expect(to === 'DEGRADED').toBe(slow.length > 0 && !slow.includes('ok'));
      }
      if (from === 'DEGRADED' && to !== 'UNHEALTHY') {
        expect(to === 'HEALTHY').toBe(fast.length > 0 && fast.every((check) => check === 'ok'));
      }
    });
  });
});
