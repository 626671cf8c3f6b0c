import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { CircuitBreaker } from './circuit-breaker.ts';
import { CircuitBreakerMetrics } from './circuit-breaker-metrics.ts';

const context = { id: 'call', signal: new AbortController().signal };
const bad = () => Promise.reject(new Error('reset'));

async function fail(breaker: CircuitBreaker, times: number): Promise<void> {
  for (let call = 0; call < times; call += 1) await breaker.execute(bad, context).catch(() => undefined);
}

afterEach(() => {
  jest.useRealTimers();
});

describe('a breaker', () => {
  it('refuses a configuration that makes no sense', () => {
    const make = () => new CircuitBreaker({ name: 'host', failureThreshold: 0 });
    expect(make).toThrow(/failureThreshold/);
  });
});

describe('the metrics', () => {
  it('show state, calls and changes of every breaker', async () => {
    jest.useFakeTimers();
    const metrics = new Metrics();
    const shown = new CircuitBreakerMetrics(metrics);
    const config = { failureThreshold: 2, slowCallMs: 100 };
    const host = new CircuitBreaker({ name: 'gpu-1', ...config, metrics: shown });
    const gone = new CircuitBreaker({ name: 'gpu-2', ...config, metrics: shown });
    await host.execute(() => Promise.resolve(), context);
    await host.execute(() => Promise.resolve(jest.advanceTimersByTime(100)), context);
    await fail(host, 2);
    await fail(gone, 1);
    const lines = (await metrics.render()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'morgan_circuit_breaker_state{breaker="gpu-1",state="CLOSED"} 0',
        'morgan_circuit_breaker_state{breaker="gpu-1",state="OPEN"} 1',
        'morgan_circuit_breaker_state{breaker="gpu-2",state="CLOSED"} 1',
        'morgan_circuit_breaker_calls_total{breaker="gpu-1",outcome="success"} 1',
        'morgan_circuit_breaker_calls_total{breaker="gpu-1",outcome="slow"} 1',
        'morgan_circuit_breaker_calls_total{breaker="gpu-1",outcome="failure"} 1',
        'morgan_circuit_breaker_calls_total{breaker="gpu-1",outcome="rejected"} 1',
        'morgan_circuit_breaker_calls_total{breaker="gpu-2",outcome="failure"} 1',
        'morgan_circuit_breaker_changes_total{breaker="gpu-1",to="OPEN",reason="consecutive_failures"} 1',
      ]),
    );
    await fail(host, 1);
    await fail(gone, 1);
    shown.forget(gone);
    const later = await metrics.render();
    expect(later).toContain('calls_total{breaker="gpu-1",outcome="rejected"} 2');
    expect(later).toContain('calls_total{breaker="gpu-2",outcome="failure"} 2');
    expect(later).not.toContain('breaker_state{breaker="gpu-2"');
  });
});
