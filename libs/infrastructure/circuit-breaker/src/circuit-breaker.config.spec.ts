import { describe, expect, it } from '@jest/globals';
import { listSettings } from '@morgan/foundation';
import { circuitBreakerConfig } from './circuit-breaker.config.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

describe('the configuration of a breaker', () => {
  it('has its defaults', () => {
    expect(circuitBreakerConfig.parse(undefined)).toEqual({
      failureThreshold: 5,
      windowMs: 10_000,
      successThreshold: 2,
      halfOpenTrials: 1,
      trialTimeoutMs: 60_000,
      resetTimeoutMs: 60_000,
      maxResetTimeoutMs: 600_000,
      resetJitter: 0.1,
    });
    expect(circuitBreakerConfig.parse({ failureRate: {}, predictive: {} })).toMatchObject({
      failureRate: { threshold: 0.5, window: 'time', windowCalls: 100, minimumCalls: 20 },
      predictive: { errorRate: 0.25, latencyFactor: 4, callsPerFalseTrip: 100_000, baselineCalls: 200 },
    });
  });

  it.each([
    { failureThreshold: 0 },
    { failureRate: { threshold: 0 } },
    { failureRate: { threshold: 1.1 } },
    { failureRate: { window: 'count', windowCalls: 10 } },
    { failureRate: { windowCalls: 100_001 } },
    { resetJitter: 1 },
    { maxResetTimeoutMs: 30_000 },
    { predictive: { errorRate: 1 } },
    { timeoutMs: 5 },
  ])('refuses %j', (given) => {
    expect(circuitBreakerConfig.safeParse(given).success).toBe(false);
  });

  it('is refused where it is unknown, as it would be ignored', () => {
    const options = { name: 'host', config: { failureThreshold: 2 } };
    expect(() => new CircuitBreaker(options)).toThrow('config: no such key');
  });

  it('is of no use without a name', () => {
    expect(() => new CircuitBreaker({ name: '' })).toThrow('CircuitBreaker needs a name');
  });

  it('documents every key', () => {
    expect(listSettings(circuitBreakerConfig)).toHaveLength(18);
  });
});
