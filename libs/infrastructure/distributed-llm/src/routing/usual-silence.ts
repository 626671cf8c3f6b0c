import type { Work } from '../hosts/history/pace.ts';
import type { Route, RouteTable } from './route-table.ts';
import type { Target } from './target.ts';

/** The longest silence that is not remarkable, in milliseconds; of a prompt of any usual length without its tokens. */
export type UsualSilence = (target: Target, work: Work, promptTokens?: number) => number;

/**
 * The longest silence before content that is not remarkable at a target: by its own history, else by that of the quickest
 * target of the same tier, which does the same work.
 * @returns Infinity where nothing is known of any.
 */
export function usualSilenceIn(routes: RouteTable): UsualSilence {
  const tiers = new Map<Target, readonly Target[]>();
  for (const route of routes.all) addTiers(tiers, route);
  return (target, work, promptTokens) => {
    const own = target.pace.usualSilenceMs(work, promptTokens);
    if (own !== undefined) return own;
    const others = tiers.get(target) ?? [];
    return Math.min(
      Infinity,
      ...others.map((other) => other.pace.usualSilenceMs(work, promptTokens) ?? Infinity),
    );
  };
}

function addTiers(tiers: Map<Target, readonly Target[]>, route: Route): void {
  for (const { targets } of route.tiers) for (const target of targets) tiers.set(target, targets);
}
