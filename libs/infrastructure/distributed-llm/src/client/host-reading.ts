import { type Host, restKey } from '../hosts/host.ts';

/** Whether a host may be asked, as far as probes know. */
export function isUp({ takesPart, health }: Host): boolean {
  return takesPart && (health.state === 'HEALTHY' || health.state === 'DEGRADED' || !health.isProbed);
}

/** Whether whatever is asked of it fails or waits: its key is refused, its quota used up, or it asked for a pause. */
export function isResting({ rests }: Host): boolean {
  return rests.size > 0 && rests.of(restKey.host) !== undefined;
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
