import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AppError, type LogFields, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { HealthMetrics } from './health-metrics.ts';
import { HealthMonitor, type HealthMonitorOptions } from './health-monitor.ts';
import type { HealthCheck } from './check-run.ts';
import type { HealthChange, CheckOutcome } from './health-state.ts';

const INTERVAL_MS = 30_000;
const TIMEOUT_MS = 5_000;
const NEVER_MS = 1e9;

const wait = (ms: number) => jest.advanceTimersByTimeAsync(ms);

/** A target whose next answers a test decides, and that takes its time. */
class FakeTarget {
  takesMs = 0;
  answer: CheckOutcome | Error | undefined;
  heedsSignal = true;
  calls = 0;
  running = 0;
  mostAtOnce = 0;
  signal: AbortSignal | undefined;
  readonly times: number[] = [];

  readonly check = async (signal: AbortSignal): Promise<CheckOutcome | void> => {
    this.calls += 1;
    this.times.push(performance.now());
    this.signal = signal;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.running);
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.takesMs === 0) return resolve();
        const timer = setTimeout(resolve, this.takesMs);
        signal.addEventListener('abort', () => {
          if (!this.heedsSignal) return;
          clearTimeout(timer);
          reject(new Error('aborted'));
        });
      });
    } finally {
      this.running -= 1;
    }
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  };
}

let monitors: HealthMonitor[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(0.5);
});

afterEach(() => {
  for (const monitor of monitors) monitor.stop();
  monitors = [];
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function monitorOf(targets: Record<string, FakeTarget>, options: Partial<HealthMonitorOptions> = {}) {
  const checks = Object.entries(targets).map(([name, target]) => [name, target.check] as const);
  const monitor = new HealthMonitor({ ...options, targets: Object.fromEntries(checks) });
  const changes: HealthChange[] = [];
  monitor.onChange((change) => changes.push(change));
  monitors.push(monitor);
  return { monitor, changes };
}

async function started(target: FakeTarget, options: Partial<HealthMonitorOptions> = {}) {
  const made = monitorOf({ a: target }, options);
  void made.monitor.start();
  await wait(0);
  return made;
}

function statusOf(monitor: HealthMonitor, name = 'a') {
  const status = monitor.getStatus().targets.find((target) => target.name === name);
  if (!status) throw new Error('no such target');
  return status;
}

describe('HealthMonitor, its checks', () => {
  it('must be functions: a target that is none would only ever look down', () => {
    const targets = { gpu1: 'http://gpu1/v1' as unknown as HealthCheck };
    expect(() => new HealthMonitor({ targets })).toThrow('the target "gpu1" is no function');
    const unnamed = { '': () => Promise.resolve() };
    expect(() => new HealthMonitor({ targets: unnamed })).toThrow('A target of HealthMonitor needs a name');
  });

  it('checks at once, then an interval after the end of the last check', async () => {
    const target = new FakeTarget();
    target.takesMs = 2_000;
    await started(target);
    await wait(3 * 32_000);
    expect(target.times.map((time) => time - (target.times[0] as number))).toEqual([
      0, 32_000, 64_000, 96_000,
    ]);
  });

  it.each([
    [0, 27_000],
    [0.25, 28_500],
    [1, 33_000],
  ])('spreads the interval by a tenth: random %d waits %d ms', async (random, delayMs) => {
    jest.mocked(Math.random).mockReturnValue(random);
    const target = new FakeTarget();
    await started(target);
    await wait(delayMs - 1);
    expect(target.calls).toBe(1);
    await wait(2);
    expect(target.calls).toBe(2);
  });

  it('start resolves after the first round, within the time limit, whatever the targets do', async () => {
    const [well, hung] = [new FakeTarget(), new FakeTarget()];
    hung.takesMs = NEVER_MS;
    hung.heedsSignal = false;
    const { monitor } = monitorOf({ well, hung });
    let isOver = false;
    void monitor.start().then(() => (isOver = true));
    await wait(TIMEOUT_MS - 1);
    expect(isOver).toBe(false);
    expect(monitor.stateOf('well')).toBe('HEALTHY');
    await wait(1);
    expect(isOver).toBe(true);
    expect(monitor.stateOf('hung')).toBe('UNHEALTHY');
  });

  it('is not delayed at one target by another one that hangs', async () => {
    const [well, hung] = [new FakeTarget(), new FakeTarget()];
    hung.takesMs = NEVER_MS;
    const { monitor } = monitorOf({ hung, well });
    void monitor.start();
    await wait(INTERVAL_MS * 10);
    expect(well.calls).toBe(11);
    expect(hung.calls).toBe(9);
    expect(statusOf(monitor, 'hung').recentChecks[0]).toMatchObject({
      verdict: 'failed',
      reason: 'timeout',
      durationMs: TIMEOUT_MS,
    });
  });

  it('aborts a check when its time is over', async () => {
    const target = new FakeTarget();
    target.takesMs = 6_000;
    await started(target);
    await wait(TIMEOUT_MS - 1);
    expect(target.signal?.aborted).toBe(false);
    await wait(1);
    expect(target.signal?.aborted).toBe(true);
    expect(target.running).toBe(0);
  });

  it('never runs two at a time, not even when the check ignores its signal', async () => {
    const target = new FakeTarget();
    target.takesMs = 100_000;
    target.heedsSignal = false;
    const { monitor } = await started(target);
    await wait(80_000);
    const calledWhileStuck = target.calls;
    expect(statusOf(monitor).recentChecks.map(({ reason }) => reason)).toEqual(['timeout', 'stuck', 'stuck']);
    target.takesMs = 0;
    await wait(60_000);
    expect(calledWhileStuck).toBe(1);
    expect(target.mostAtOnce).toBe(1);
    expect(monitor.stateOf('a')).toBe('UNHEALTHY');
    await wait(INTERVAL_MS);
    expect(monitor.stateOf('a')).toBe('HEALTHY');
  });

  it('checks on demand, joins a running check, and counts the interval from there', async () => {
    const target = new FakeTarget();
    const { monitor } = await started(target);
    await wait(20_000);
    target.takesMs = 100;
    const [first, second] = [monitor.checkNow('a'), monitor.checkNow('a')];
    await wait(100);
    expect(await first).toBe(await second);
    expect(await first).toMatchObject({ verdict: 'ok', durationMs: 100 });
    expect(target.calls).toBe(2);
    await wait(INTERVAL_MS - 1);
    expect(target.calls).toBe(2);
    await wait(1);
    expect(target.calls).toBe(3);
  });

  it('checks on demand without having been started, once', async () => {
    const target = new FakeTarget();
    const { monitor } = monitorOf({ a: target });
    void monitor.checkNow('a');
    await wait(INTERVAL_MS * 3);
    expect(target.calls).toBe(1);
    expect(monitor.stateOf('a')).toBe('HEALTHY');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer and learns nothing once it is stopped', async () => {
    const target = new FakeTarget();
    target.takesMs = 1_000;
    const { monitor } = monitorOf({ a: target });
    const firstRound = monitor.start();
    await wait(500);
    monitor.stop();
    await firstRound;
    expect(target.signal?.aborted).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
    await wait(INTERVAL_MS * 3);
    expect(target.calls).toBe(1);
    expect(statusOf(monitor)).toMatchObject({ state: 'UNKNOWN', checks: { ok: 0, degraded: 0, failed: 0 } });
  });

  it('takes up its checks again after a stop', async () => {
    const target = new FakeTarget();
    const { monitor } = await started(target);
    monitor.stop();
    await wait(INTERVAL_MS);
    void monitor.start();
    await wait(INTERVAL_MS);
    expect(target.calls).toBe(3);
  });

  it('checks at once when it is stopped and started while a check runs', async () => {
    const target = new FakeTarget();
    target.takesMs = 900;
    const { monitor } = monitorOf({ a: target });
    void monitor.start();
    await wait(500);
    monitor.stop();
    const round = monitor.start();
    await wait(1_000);
    await round;
    expect([target.calls, target.mostAtOnce]).toEqual([2, 1]);
    expect(statusOf(monitor)).toMatchObject({ state: 'HEALTHY', checks: { ok: 1, degraded: 0, failed: 0 } });
    await wait(INTERVAL_MS + 1_000);
    expect(target.calls).toBe(3);
  });

  it('leaves the metrics when it is stopped and comes back with its next start', async () => {
    const registry = new Metrics();
    const { monitor } = monitorOf({ a: new FakeTarget() }, { metrics: new HealthMetrics(registry) });
    void monitor.start();
    await wait(0);
    expect(await registry.render()).toContain('morgan_health_state{target="a",state="HEALTHY"} 1');
    monitor.stop();
    expect(await registry.render()).not.toContain('morgan_health_state{');
    void monitor.start();
    expect(await registry.render()).toContain('morgan_health_state{');
  });

  it('can be stopped as often as it was started', async () => {
    const target = new FakeTarget();
    target.takesMs = 1_000;
    const { monitor } = monitorOf({ a: target });
    for (let round = 0; round < 2; round++) {
      const firstRound = monitor.start();
      await wait(500);
      monitor.stop();
      await firstRound;
      expect(target.signal?.aborted).toBe(true);
      await wait(0);
    }
    expect([target.calls, target.running, jest.getTimerCount()]).toEqual([2, 0, 0]);
  });

  it('come more often while a target is down, from the moment on at which that is known', async () => {
    const target = new FakeTarget();
    const { monitor } = await started(target, { failureThreshold: 2, downCheckIntervalMs: 5_000 });
    target.answer = new Error('gone');
    await wait(2 * INTERVAL_MS);
    expect(monitor.stateOf('a')).toBe('UNHEALTHY');
    const before = target.calls;
    await wait(15_000);
    expect(target.calls - before).toBe(3);
    target.answer = undefined;
    await wait(10_000);
    expect(monitor.stateOf('a')).toBe('HEALTHY');
    for (let call = 0; call < 5; call += 1) monitor.report('a', { ok: false, durationMs: 0 });
    const beforeReports = target.calls;
    await wait(5_000);
    expect(target.calls - beforeReports).toBe(1);
  });
});

describe('HealthMonitor, its states', () => {
  it('goes down after three failed checks and says why, and comes up after two good ones', async () => {
    const target = new FakeTarget();
    const { monitor, changes } = await started(target);
    const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.1'), { code: 'ECONNREFUSED' });
    target.answer = new TypeError('fetch failed', { cause: refused });
    await wait(INTERVAL_MS * 3);
    const wentDownAt = Date.now();
    target.answer = undefined;
    await wait(INTERVAL_MS * 2);
    expect(changes).toEqual([
      expect.objectContaining({ from: 'UNKNOWN', to: 'HEALTHY', reason: 'first_outcome' }),
      {
        target: 'a',
        from: 'HEALTHY',
        to: 'UNHEALTHY',
        reason: 'checks_failed',
        fault: 'ECONNREFUSED',
        at: wentDownAt,
        consecutiveFailures: 3,
        consecutiveSuccesses: 0,
      },
      expect.objectContaining({
        from: 'UNHEALTHY',
        to: 'HEALTHY',
        reason: 'recovered',
        consecutiveSuccesses: 2,
      }),
    ]);
    expect(monitor.stateOf('a')).toBe('HEALTHY');
  });

  it('is degraded by slow answers, and by a check that says so', async () => {
    const target = new FakeTarget();
    const { monitor, changes } = await started(target, { slowResponseMs: 400 });
    target.takesMs = 400;
    await wait(31_000 * 2);
    target.takesMs = 399;
    target.answer = { verdict: 'degraded', reason: 'queue_deep' };
    await wait(31_000);
    expect(statusOf(monitor).recentChecks.map(({ reason }) => reason)).toEqual([
      undefined,
      'slow',
      'slow',
      'queue_deep',
    ]);
    expect(changes.at(-1)).toMatchObject({ to: 'DEGRADED', reason: 'checks_degraded', fault: 'queue_deep' });
  });

  it('hears of live failures between two checks, and of the code of an error without one', async () => {
    const target = new FakeTarget();
    const { monitor, changes } = await started(target);
    await wait(10);
    monitor.report('a', { ok: true, durationMs: 5 });
    for (let call = 0; call < 5; call++) monitor.report('a', { ok: false, durationMs: 5 });
    expect(changes.at(-1)).toMatchObject({ to: 'UNHEALTHY', reason: 'live_calls_failed' });
    expect(changes.at(-1)).not.toHaveProperty('fault');
    target.answer = new AppError('host_error', 'x');
    await wait(INTERVAL_MS);
    expect(statusOf(monitor)).toMatchObject({
      live: { ok: 1, failed: 5 },
      recentChecks: [{ verdict: 'ok' }, { verdict: 'failed', reason: 'host_error' }],
    });
  });

  it('places a live call at its beginning: one from before the fall does not help', async () => {
    const { monitor } = await started(new FakeTarget(), { successThreshold: 1 });
    await wait(1_000);
    for (let call = 0; call < 5; call++) monitor.report('a', { ok: false, durationMs: 5 });
    await wait(1_000);
    monitor.report('a', { ok: true, durationMs: 1_001 });
    expect(monitor.stateOf('a')).toBe('UNHEALTHY');
    monitor.report('a', { ok: true, durationMs: 999 });
    expect(monitor.stateOf('a')).toBe('HEALTHY');
  });

  it('gives a returning target a rising share', async () => {
    const target = new FakeTarget();
    target.answer = new Error('down');
    const { monitor } = await started(target, { slowStartMs: 20_000, checkTimeoutMs: 1_000 });
    expect(monitor.weightOf('a')).toBe(0);
    target.answer = undefined;
    await wait(INTERVAL_MS * 2);
    const shares = [monitor.weightOf('a')];
    for (let step = 0; step < 4; step++) {
      await wait(5_000);
      shares.push(monitor.weightOf('a'));
    }
    expect(shares).toEqual([0.1, 0.25, 0.5, 0.75, 1]);
  });

  it('gives a target that was never down its whole share at once', async () => {
    const { monitor } = monitorOf({ a: new FakeTarget() });
    expect(monitor.weightOf('a')).toBe(1);
    void monitor.start();
    await wait(0);
    expect(monitor.weightOf('a')).toBe(1);
  });

  it('reports everything it knows', async () => {
    const target = new FakeTarget();
    target.takesMs = 40;
    const { monitor } = monitorOf({ a: target }, { checkIntervalMs: 960 });
    expect(statusOf(monitor)).not.toHaveProperty('uptimePercent');
    void monitor.start();
    await wait(40 + 3 * 1_000);
    target.answer = new Error('down');
    await wait(4_000);
    const status = statusOf(monitor);
    // Known since 40 ms; down from the third failure, at 6,040 ms; read at 7,040 ms.
    expect(status.uptimePercent).toBeCloseTo((6_000 / 7_000) * 100, 5);
    expect(status).toMatchObject({
      state: 'UNHEALTHY',
      since: Date.now() - 1_000,
      weight: 0,
      consecutiveFailures: 4,
      consecutiveSuccesses: 0,
      checks: { ok: 4, degraded: 0, failed: 4 },
      responseTimes: { lastMs: 40, meanMs: 40, p95Ms: 40 },
    });
    expect(status.recentChecks).toHaveLength(8);
    expect(status.recentChecks.at(-1)).toEqual({
      at: Date.now() - 40,
      verdict: 'failed',
      durationMs: 40,
      reason: 'Error',
    });
  });

  it('sums the targets up', async () => {
    const [a, b] = [new FakeTarget(), new FakeTarget()];
    const { monitor } = monitorOf({ a, b }, { failureThreshold: 1, successThreshold: 1, slowThreshold: 5 });
    const read = async (downA: boolean, downB: boolean) => {
      a.answer = downA ? new Error('down') : undefined;
      b.answer = downB ? new Error('down') : undefined;
      void monitor.checkNow('a');
      void monitor.checkNow('b');
      await wait(0);
      return monitor.getStatus().state;
    };
    expect(monitor.getStatus().state).toBe('UNKNOWN');
    expect(await read(false, false)).toBe('HEALTHY');
    expect(await read(true, false)).toBe('DEGRADED');
    expect(await read(true, true)).toBe('UNHEALTHY');
  });
});

describe('HealthMonitor, towards the rest', () => {
  it('is a check, as a whole and by target, that reads a snapshot', async () => {
    const [a, b] = [new FakeTarget(), new FakeTarget()];
    b.answer = new Error('down');
    const { monitor } = monitorOf({ a, b });
    const whole = monitor.indicator({ name: 'llm_hosts' });
    const single = monitor.indicatorOf('b', { required: false });
    expect(whole).toMatchObject({ name: 'llm_hosts', required: true });
    expect(single).toMatchObject({ name: 'b', required: false });
    expect(monitor.indicatorOf('a')).toMatchObject({ name: 'a', required: true });
    expect(whole.read()).toEqual({ up: false, details: { a: 'UNKNOWN', b: 'UNKNOWN' } });
    void monitor.start();
    await wait(0);
    const calls = a.calls + b.calls;
    expect(whole.read()).toEqual({ up: true, details: { a: 'HEALTHY', b: 'UNHEALTHY' } });
    expect(single.read()).toEqual({ up: false, details: { state: 'UNHEALTHY' } });
    expect(a.calls + b.calls).toBe(calls);
  });

  it('checks nothing any more once it is disposed of', async () => {
    const target = new FakeTarget();
    {
      using monitor = new HealthMonitor({ targets: { a: target.check } });
      await monitor.start();
    }
    await wait(INTERVAL_MS * 3);
    expect(target.calls).toBe(1);
  });

  it('counts checks by outcome and shows one state of each target', async () => {
    const metrics = new Metrics();
    const target = new FakeTarget();
    await started(target, { metrics: new HealthMetrics(metrics) });
    target.answer = new Error('down');
    await wait(INTERVAL_MS * 3);
    const text = await metrics.render();
    expect(text).toContain('morgan_health_checks_total{target="a",outcome="ok"} 1');
    expect(text).toContain('morgan_health_checks_total{target="a",outcome="failed"} 3');
    expect(text.match(/morgan_health_state\{.*/g)).toEqual([
      'morgan_health_state{target="a",state="UNKNOWN"} 0',
      'morgan_health_state{target="a",state="HEALTHY"} 0',
      'morgan_health_state{target="a",state="DEGRADED"} 0',
      'morgan_health_state{target="a",state="UNHEALTHY"} 1',
    ]);
  });

  it('logs a fall as a warning, and goes on when a listener throws', async () => {
    const lines: [string, LogFields, string][] = [];
    const logger = {
      ...silentLogger,
      warn: (fields: LogFields, message: string) => lines.push(['warn', fields, message]),
      error: (fields: LogFields, message: string) => lines.push(['error', fields, message]),
    };
    const target = new FakeTarget();
    target.answer = new Error('down');
    const { monitor } = monitorOf({ a: target }, { logger });
    monitor.onChange(() => {
      throw new Error('a bad listener');
    });
    void monitor.start();
    await wait(INTERVAL_MS * 2);
    expect(target.calls).toBe(3);
    expect(lines).toEqual([
      ['warn', { target: 'a', from: 'UNKNOWN', reason: 'first_outcome', fault: 'Error' }, 'target is down'],
      ['error', { error: expect.any(Error) }, 'a listener failed'],
    ]);
  });

  it('refuses settings out of bounds, unknown settings and unknown targets', () => {
    expect(() => monitorOf({}, { checkIntervalMs: 0 })).toThrow('checkIntervalMs');
    expect(() => monitorOf({}, { intervalMs: 5 } as object)).toThrow('intervalMs');
    const { monitor } = monitorOf({ a: new FakeTarget() });
    expect(() => monitor.checkNow('b')).toThrow('no target is named "b"');
    expect(() => monitor.report('b', { ok: true, durationMs: 1 })).toThrow(RangeError);
  });
});
