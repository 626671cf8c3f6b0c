import { milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';
import { capabilities } from '../hosts/host-list.ts';
import { loadBalancingStrategy } from '../strategies/create-strategy.ts';
import { Glob } from './glob.ts';

/** What can be said of a target: a host, or each one of a group, and the model to ask for there. */
export const targetFields = z.strictObject({
  host: setting(z.string().min(1).optional(), {
    doc: 'The name of a host. Either this or `group` must be there.',
  }),
  group: setting(z.string().min(1).optional(), {
    doc: 'The name of a group of hosts, each of which is a target.',
  }),
  model: setting(z.string().min(1).max(256).optional(), {
    doc: 'The model to ask for there. Left out: the one that the caller named.',
  }),
  weight: setting(z.number().positive().max(1000).optional(), {
    doc: 'Its share of calls relative to the others, times the weight of the host.',
  }),
  capabilities: setting(capabilities.optional(), {
    doc: 'Those in which it differs from the host.',
  }),
});

const target = targetFields.refine(({ host, group }) => (host === undefined) !== (group === undefined), {
  message: 'name either a host or a group',
});

/** What can be said of a route. */
export const routeFields = z.strictObject({
  model: setting(z.string().min(1).max(256), {
    doc: 'The name that callers use, or a glob: `*` stands for any text. A name goes before a glob, and of globs the first that fits counts.',
  }),
  tiers: setting(z.array(z.array(target).min(1)).min(1), {
    doc: 'Lists of targets. Those of the first list are equal; those of the next are for when none of it can serve.',
  }),
  strategy: setting(loadBalancingStrategy.optional(), { doc: 'In place of `strategy` of all.' }),
  allowedStrategies: setting(z.array(loadBalancingStrategy).optional(), {
    doc: 'In place of `allowedStrategies` of all.',
  }),
  connectTimeoutMs: setting(milliseconds.optional(), {
    doc: 'In place of `connectTimeoutMs` of all, and at most that.',
  }),
  firstByteTimeoutMs: setting(milliseconds.optional(), { doc: 'In place of `firstByteTimeoutMs` of all.' }),
  firstTokenTimeoutMs: setting(milliseconds.optional(), { doc: 'In place of `firstTokenTimeoutMs` of all.' }),
  answerTimeoutMs: setting(milliseconds.optional(), { doc: 'In place of `answerTimeoutMs` of all.' }),
  stallTimeoutMs: setting(milliseconds.optional(), { doc: 'In place of `streams.stallTimeoutMs` of all.' }),
  totalTimeoutMs: setting(milliseconds.optional(), {
    doc: 'How long the whole call may take, in milliseconds: every target that is tried, and the body. Left out: `llmService.timeouts` alone.',
  }),
  repeatSlowAnswers: setting(z.boolean().optional(), {
    doc: 'Whether an answer that took too long is asked for again elsewhere: the same work once more. Left out: no.',
  }),
  onInterrupt: setting(z.enum(['resume', 'error']).optional(), {
    doc: 'In place of `llmService.streams.onInterrupt`.',
  }),
  acceptUnfinished: setting(z.boolean().optional(), {
    doc: 'In place of `streams.acceptUnfinished` of all.',
  }),
});

/** Which hosts serve which models, in which order. */
export const routeList = z.array(routeFields).superRefine((routes, context) => {
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

export type RouteOptions = z.output<typeof routeFields>;
export type HostGroups = z.output<typeof hostGroups>;
export type RouteTargetOptions = z.output<typeof target>;

/** What is wrong in a configuration of routes, and where. */
interface RouteFault {
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
