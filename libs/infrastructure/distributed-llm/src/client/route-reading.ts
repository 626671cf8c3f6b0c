import type { ContinuationStyle } from '@morgan/llm-protocol';
import type { Outcome } from '../evidence/outcome.ts';
import { type Host, restKey } from '../hosts/host.ts';
import type { Route } from '../routing/route-table.ts';
import type { Target } from '../routing/target.ts';

const UNKNOWN_PATH: Outcome = 'path_not_found';

/** What callers of the client may need to know of the way that a model's calls go. */
export interface RouteReading {
  /** What becomes of a stream that breaks. None: left to the caller. */
  readonly onInterrupt: 'resume' | 'error' | undefined;
  /** The hosts that take part, and how each goes on with a text that has begun, if it does. */
  readonly hosts: readonly { readonly name: string; readonly continuation: ContinuationStyle | undefined }[];
  /** Whether any of them may have a path, as declared and as their responses have said. */
  serves(path: string): boolean;
  /** The names of those that may have it. */
  servedBy(path: string): readonly string[];
}

/** Reads a route as it is now. */
export function readRoute({ tiers, onInterrupt }: Route): RouteReading {
  const targets = tiers.flatMap((tier) => tier.targets).filter(({ host }) => host.takesPart);
  return {
    onInterrupt,
    hosts: targets.map(({ host, capabilities }) => ({
      name: host.name,
      continuation: capabilities.prefixContinuation,
    })),
    serves: (path) => targets.some((target) => mayServe(target, path)),
    servedBy: (path) => targets.filter((target) => mayServe(target, path)).map(({ host }) => host.name),
  };
}

function mayServe({ host, capabilities: { endpoints } }: Target, path: string): boolean {
  return (endpoints === undefined || endpoints.includes(path)) && !isWithout(host, path);
}

function isWithout({ rests }: Host, path: string): boolean {
  return rests.of(restKey.path(path))?.outcome === UNKNOWN_PATH;
}
