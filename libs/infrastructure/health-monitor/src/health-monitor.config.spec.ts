import { describe, expect, it } from '@jest/globals';
import { listSettings, loadConfig } from '@morgan/foundation';
import { z } from 'zod';
import { healthMonitorConfig } from './health-monitor.config.ts';

const section = z.strictObject({ health: healthMonitorConfig });

describe('healthMonitorConfig', () => {
  it('has a default for everything, and a line of documentation', () => {
    expect(loadConfig(section, { env: {} }).health).toEqual({
      checkIntervalMs: 30_000,
      jitter: 0.1,
      checkTimeoutMs: 5_000,
      failureThreshold: 3,
      successThreshold: 2,
      slowResponseMs: 1_000,
      slowThreshold: 3,
      liveFailureThreshold: 5,
      slowStartMs: 30_000,
    });
    expect(listSettings(section)).toHaveLength(10);
  });

  it.each([{ checkIntervalMs: 0 }, { checkTimeoutMs: 2 ** 31 }, { failureThreshold: 1.5 }, { jitter: 0.9 }])(
    'refuses %j',
    (health) => {
      expect(() => loadConfig(section, { env: {}, file: { health } })).toThrow(Object.keys(health)[0]);
    },
  );
});
