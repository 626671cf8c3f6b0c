import { describe, expect, it } from '@jest/globals';
import { listSettings } from '@morgan/foundation';
import { AdaptiveBulkhead } from './adaptive-bulkhead.ts';
import { AdaptiveLimit } from './adaptive-limit.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';
import { Bulkhead } from './bulkhead.ts';
import { adaptiveLimitConfig, adaptiveTimeoutConfig, bulkheadConfig } from './concurrency.config.ts';

describe('the configuration of concurrency', () => {
  it('has its defaults', () => {
    expect(bulkheadConfig.parse(undefined)).toEqual({ maxConcurrent: 100, maxQueue: 100 });
    expect(adaptiveLimitConfig.parse(undefined)).toEqual({ initialLimit: 20, minLimit: 1, maxLimit: 1_000 });
    expect(adaptiveTimeoutConfig.parse(undefined)).toEqual({
      quantile: 0.99,
      factor: 2,
      floorMs: 1_000,
      ceilingMs: 300_000,
      minSamples: 50,
    });
  });

  it.each([
    [bulkheadConfig, { maxConcurrent: 0 }],
    [bulkheadConfig, { maxQueues: 5 }],
    [adaptiveLimitConfig, { minLimit: 30 }],
    [adaptiveLimitConfig, { maxLimit: 10 }],
    [adaptiveTimeoutConfig, { floorMs: 20, ceilingMs: 10 }],
    [adaptiveTimeoutConfig, { quantile: 1 }],
  ])('refuses what cannot work (%#)', (schema, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  it.each([
    ['maxConcurrent', () => new Bulkhead({ name: 'a', maxConcurrent: 0 })],
    ['maxQueue', () => new AdaptiveBulkhead({ name: 'a', maxQueue: -1 })],
    ['initialLimit', () => new AdaptiveLimit({ initialLimit: Number.NaN })],
    ['quantile', () => new AdaptiveTimeout({ name: 'a', quantile: 2 })],
  ])('a class that is given a wrong %s names it', (name, make) => {
    expect(make).toThrow(name);
  });

  it.each([
    [Bulkhead, 'config'],
    [AdaptiveBulkhead, 'maxConcurrent'],
    [AdaptiveTimeout, 'timeoutMs'],
  ])('%p refuses a setting that it does not have: %s', (Class, setting) => {
    const options = { name: 'host', [setting]: {} };
    expect(() => new Class(options)).toThrow(`${setting}: no such key`);
  });

  it.each([Bulkhead, AdaptiveBulkhead, AdaptiveTimeout])('%p refuses an empty name', (Class) => {
    expect(() => new Class({ name: '' })).toThrow('needs a name');
  });

  it('documents every setting', () => {
    const documented = [bulkheadConfig, adaptiveLimitConfig, adaptiveTimeoutConfig].map(
      (schema) => listSettings(schema).length,
    );
    expect(documented).toEqual([2, 3, 5]);
  });
});
