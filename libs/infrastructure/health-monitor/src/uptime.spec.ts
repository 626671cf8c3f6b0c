import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { HealthState } from './health-state.ts';
import { Uptime } from './uptime.ts';

describe('Uptime', () => {
  it('is nothing while nothing is known, and leaves that time out', () => {
    const uptime = new Uptime();
    expect(uptime.percent(500)).toBeUndefined();
    uptime.become('HEALTHY', 1_000);
    expect(uptime.percent(1_000)).toBe(100);
    uptime.become('UNHEALTHY', 1_300);
    expect(uptime.percent(1_400)).toBe(75);
  });

  it('weighs by time, however often it is read, and counts degraded as up', () => {
    const step = fc.tuple(
      fc.constantFrom<HealthState>('HEALTHY', 'DEGRADED', 'UNHEALTHY'),
      fc.integer({ min: 1, max: 1_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }), (steps) => {
        const uptime = new Uptime();
        let now = 0;
        let upMs = 0;
        for (const [state, forMs] of steps) {
          uptime.become(state, now);
          uptime.percent(now + forMs / 2);
          now += forMs;
          if (state !== 'UNHEALTHY') upMs += forMs;
        }
        expect(uptime.percent(now)).toBeCloseTo((upMs / now) * 100, 6);
      }),
    );
  });
});
