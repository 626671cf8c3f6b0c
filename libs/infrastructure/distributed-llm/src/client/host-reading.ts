import type { Outcome } from '../evidence/outcome.ts';
import type { Host } from '../hosts/host.ts';

/** What nearly always is about all that a host is asked. */
const OF_ALL: ReadonlySet<Outcome> = new Set([
  'credentials_rejected',
  'quota_exhausted',
  'overloaded',
  'loading',
]);

/** Whether a host may be asked, as far as probes know. */
export function isUp({ takesPart, health }: Host): boolean {
  return takesPart && (health.state === 'HEALTHY' || health.state === 'DEGRADED' || !health.isProbed);
}

/** Whether a host has refused the key, found a quota used up or had no room for what was asked of it since its last answer. */
export function isResting({ rests, answeredAt }: Host): boolean {
  return rests.size > 0 && rests.since(answeredAt).some(({ outcome }) => OF_ALL.has(outcome));
}

/** What `/health` shows of a host. */
export function readingOf({ mode, health, policies, rests }: Host) {
  const resting = rests.list().map(({ of, outcome }) => ({ of: of.split(' ')[0], outcome }));
  return {
    state: health.state,
    circuit: policies.breaker.state,
    ...(mode !== 'enabled' && { mode }),
    ...(resting.length > 0 && { resting }),
  };
}
