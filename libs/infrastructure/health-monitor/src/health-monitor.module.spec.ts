import 'reflect-metadata';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { HealthMonitor } from './health-monitor.ts';
import { HealthMonitorModule } from './health-monitor.module.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('the Nest module checks from the start of the application to its shutdown', async () => {
  const check = jest.fn(() => Promise.resolve());
  const monitor = new HealthMonitor({ targets: { host: check }, checkIntervalMs: 1_000 });
  const imports = [HealthMonitorModule.register(monitor)];
  const application = await Test.createTestingModule({ imports }).compile();
  await application.init();
  expect(application.get(HealthMonitor)).toBe(monitor);
  expect(monitor.stateOf('host')).toBe('HEALTHY');
  await jest.advanceTimersByTimeAsync(2_000);
  const checks = check.mock.calls.length;
  expect(checks).toBeGreaterThan(1);

  await application.close();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(check).toHaveBeenCalledTimes(checks);
});
