import { MAX_TIMER_MS } from '@morgan/foundation';
import { z } from 'zod';
import { capabilities } from '../hosts/host-list.ts';
import { loadBalancingStrategy } from '../strategies/create-strategy.ts';
import { Glob } from './glob.ts';

const milliseconds = z.int().min(1).max(MAX_TIMER_MS);

const target = z
  .strictObject({
    /** The name of a host, or of a group of hosts. */
    host: z.string().min(1).optional(),
    group: z.string().min(1).optional(),
    /** The model to ask for there. Left out: the one that the caller named. */
    model: z.string().min(1).max(256).optional(),
    weight: z.number().positive().max(1000).optional(),
    capabilities: capabilities.optional(),
  })
  .refine(({ host, group }) => (host === undefined) !== (group === undefined), {
    message: 'name either a host or a group',
  });

const route = z.strictObject({
  /** The name that callers use, or a glob: `*` stands for any text. */
  model: z.string().min(1).max(256),
  /** The targets of the first tier are equal. Those of the next are for when none of it can serve. */
  tiers: z.array(z.array(target).min(1)).min(1),
  strategy: loadBalancingStrategy.optional(),
  /** At most the client's. */
  connectTimeoutMs: milliseconds.optional(),
  firstByteTimeoutMs: milliseconds.optional(),
  /** What callers may ask for in its place, by a header. */
  allowedStrategies: z.array(loadBalancingStrategy).optional(),
  answerTimeoutMs: milliseconds.optional(),
  firstTokenTimeoutMs: milliseconds.optional(),
  stallTimeoutMs: milliseconds.optional(),
  /** The whole call, every target that is tried and the body included. */
  totalTimeoutMs: milliseconds.optional(),
  /** Whether a response that took too long is asked for again elsewhere: the same work once more. */
  repeatSlowAnswers: z.boolean().optional(),
  /** What becomes of a stream that breaks: its end from another target, or an error. */
  onInterrupt: z.enum(['resume', 'error']).optional(),
  /** Whether a stream that ends cleanly, but before its response did, is taken for a response. */
  acceptUnfinished: z.boolean().optional(),
});

/** Which hosts serve which models, in which order. */
export const routeList = z.array(route).superRefine((routes, context) => {
  routes.forEach(({ model }, at) => {
    const earlier = routes.slice(0, at).map((other) => other.model);
    const wider = model.includes('*') ? earlier.find((other) => new Glob(other).fits(model)) : undefined;
    const message = earlier.includes(model)
      ? 'has a route already'
      : wider && `is never used: "${wider}" stands before it and fits all of its names`;
    if (message) context.addIssue({ code: 'custom', path: [at, 'model'], message });
  });
});

/** Names for several hosts. */
export const hostGroups = z.record(z.string().min(1), z.array(z.string().min(1)).min(1));

export type RouteOptions = z.output<typeof route>;
export type HostGroups = z.output<typeof hostGroups>;
export type RouteTargetOptions = z.output<typeof target>;

/** What is wrong in a configuration of routes, and where. */
export interface RouteFault {
  readonly path: (string | number)[];
  readonly message: string;
}

/** Every name in a route or a group that is no host or group. */
export function unknownNames(
  routes: readonly RouteOptions[],
  groups: HostGroups,
  hostNames: ReadonlySet<string>,
): RouteFault[] {
  const faults: RouteFault[] = [];
  const check = (known: boolean, name: string | undefined, path: (string | number)[]) => {
    if (name !== undefined && !known) faults.push({ path, message: `"${name}" is not configured` });
  };
  for (const [group, members] of Object.entries(groups))
    members.forEach((name, at) => check(hostNames.has(name), name, ['groups', group, at]));
  routes.forEach(({ tiers }, at) =>
    tiers.forEach((tier, tierAt) =>
      tier.forEach(({ host, group }, targetAt) => {
        const path = ['routes', at, 'tiers', tierAt, targetAt];
        check(hostNames.has(host ?? ''), host, [...path, 'host']);
        check(Object.hasOwn(groups, group ?? ''), group, [...path, 'group']);
      }),
    ),
  );
  return faults;
}

/** Targets that are in one tier more than once, by themselves or by groups: how much they get is their weight's to say. */
export function repeatedTargets(routes: readonly RouteOptions[], groups: HostGroups): RouteFault[] {
  const faults: RouteFault[] = [];
  routes.forEach(({ tiers }, at) =>
    tiers.forEach((tier, tierAt) => {
      const seen = new Set<string>();
      tier.forEach(({ host, group, model = '' }, targetAt) => {
        for (const name of group === undefined ? [host] : membersOf(groups, group)) {
          const key = `${name} ${model}`;
          const path = ['routes', at, 'tiers', tierAt, targetAt];
          if (seen.has(key)) faults.push({ path, message: `"${name}" is in this tier already` });
          seen.add(key);
        }
      });
    }),
  );
  return faults;
}

function membersOf(groups: HostGroups, group: string): readonly string[] {
  return (Object.hasOwn(groups, group) ? groups[group] : undefined) ?? [];
}
