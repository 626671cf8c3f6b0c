import type { Settings } from './settings.ts';

/** How long a service may take to drain: the longer one of its grace period and its least drain. */
export function graceMs(environment: Readonly<Record<string, string>>, settings: Settings): number {
  const times = ['SHUTDOWN_GRACE_MS', 'SHUTDOWN_MIN_DRAIN_MS'].map((name) =>
    Number(environment[name] ?? settings.get(name)),
  );
  return Math.max(...times);
}
