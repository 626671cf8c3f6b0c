import { AppError } from '@morgan/foundation';
import type { RequestFacts } from '../routing/request-facts.ts';
import type { Route } from '../routing/route-table.ts';
import type { Lack, Target } from '../routing/target.ts';

/** What of a request no target takes, as a caller reads it. */
const TAKES: Readonly<Record<Lack, (facts: RequestFacts, targets: readonly Target[]) => string>> = {
  endpoint: () => 'requests of this endpoint',
  tools: () => 'tools',
  vision: () => 'images',
  context_length: ({ bytes }, targets) =>
    `a request of ${bytes} bytes, as the longest context is ${longestContext(targets)} tokens`,
};

/**
 * The fault of a request that no target of its route can serve, however well the hosts are: trying again is no use.
 * @returns nothing where one could, or where there is no target at all.
 */
export function unservable({ tiers }: Route, facts: RequestFacts): AppError | undefined {
  const targets = tiers.flatMap((tier) => tier.targets);
  const lacks = new Set<Lack>();
  for (const target of targets) {
    const lack = target.lacks(facts);
    if (lack === undefined) return undefined;
    lacks.add(lack);
  }
  if (lacks.size === 0) return undefined;
  const isTooLong = lacks.size === 1 && lacks.has('context_length');
  return new AppError(
    isTooLong ? 'context_length_exceeded' : 'unsupported_by_model',
    `No host of this model takes ${[...lacks].map((lack) => TAKES[lack](facts, targets)).join(' and ')}.`,
  );
}

function longestContext(targets: readonly Target[]): number {
  return Math.max(...targets.map(({ capabilities }) => capabilities.contextLength ?? 0));
}
