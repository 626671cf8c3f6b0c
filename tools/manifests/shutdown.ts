import type { Settings } from './settings.ts';

/** How long a service may take to stop: what it is given, or else its default. */
export function graceMs(environment: Readonly<Record<string, string>>, settings: Settings): number {
  return Number(environment['SHUTDOWN_GRACE_MS'] ?? settings.get('SHUTDOWN_GRACE_MS'));
}
