import type { CircuitBreakerConfig } from './circuit-breaker.config.ts';
import { ConsecutiveRule } from './consecutive.rule.ts';
import { CountWindow } from './count.window.ts';
import { FailureRateRule } from './failure-rate.rule.ts';
import { TimeWindow } from './time.window.ts';
import { TrendRule } from './trend.rule.ts';
import type { TripRule } from './trip-rule.ts';

/** The rules that a configuration asks for, without any memory. */
export function createTripRules(config: CircuitBreakerConfig): TripRule[] {
  const rules = [hardRule(config)];
  if (config.predictive) rules.push(new TrendRule(config.predictive));
  return rules;
}

function hardRule({ failureThreshold, failureRate, windowMs }: CircuitBreakerConfig): TripRule {
  if (!failureRate) return new ConsecutiveRule(failureThreshold);
  const { window, windowCalls } = failureRate;
  return new FailureRateRule(
    window === 'time' ? new TimeWindow(windowMs) : new CountWindow(windowCalls),
    failureRate,
  );
}
