import type { Host } from '../hosts/host.ts';
import { toggleTag } from '../hosts/model-list.ts';
import { createStrategy, type LoadBalancingStrategy } from '../strategies/create-strategy.ts';
import type { Strategy } from '../strategies/strategy.ts';
import { Glob } from './glob.ts';
import type { HostGroups, RouteOptions, RouteTargetOptions } from './route.config.ts';
import { Target } from './target.ts';

/** Targets that are equal to one another, and who chooses among them. */
export interface Tier {
  readonly targets: readonly Target[];
  readonly strategy: Strategy;
}

/** Where calls for a model go. */
export interface Route {
  /** The configured name or glob; none where every host that may serve the model is asked. */
  readonly name: string | undefined;
  readonly strategy: LoadBalancingStrategy;
  readonly tiers: readonly Tier[];
  readonly connectTimeoutMs?: number | undefined;
  readonly firstByteTimeoutMs?: number | undefined;
  /** The same route with each strategy that callers may ask for, by its name. */
  readonly variants: ReadonlyMap<string, Route>;
  readonly answerTimeoutMs?: number | undefined;
  readonly firstTokenTimeoutMs?: number | undefined;
  readonly stallTimeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly repeatSlowAnswers?: boolean | undefined;
  readonly onInterrupt?: 'resume' | 'error' | undefined;
  readonly acceptUnfinished?: boolean | undefined;
}

/** What a table is made of. */
interface RouteTableOptions {
  readonly hosts: readonly Host[];
  readonly routes: readonly RouteOptions[];
  readonly groups: HostGroups;
  readonly strategy: LoadBalancingStrategy;
  readonly allowedStrategies: readonly LoadBalancingStrategy[];
}

/**
 * Finds the route of a model: the one of its name, with or without Ollama's `:latest`, else the first whose glob fits, else
 * all hosts as one tier.
 */
export class RouteTable {
  readonly #exact = new Map<string, Route>();
  readonly #globs: { readonly glob: Glob; readonly route: Route }[] = [];
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #options: RouteTableOptions;
  readonly #everyHost: Route;

  /** @throws RangeError when a route names a host or a group that is not there. */
  constructor(options: RouteTableOptions) {
    this.#options = options;
    this.#hosts = new Map(options.hosts.map((host) => [host.name, host]));
    const { strategy, allowedStrategies } = options;
    const everyHost = options.hosts.map((host) => new Target({ host }));
    this.#everyHost = routeOver([everyHost], { name: undefined, strategy }, allowedStrategies);
    for (const route of options.routes) this.#add(route);
  }

  /** Names that callers can ask for; globs are not among them. */
  get names(): readonly string[] {
    return [...this.#exact.keys()];
  }

  get all(): readonly Route[] {
    return [this.#everyHost, ...this.#exact.values(), ...this.#globs.map(({ route }) => route)];
  }

  find(model: string | undefined): Route {
    if (model === undefined) return this.#everyHost;
    const exact = this.#exact.get(model) ?? this.#exact.get(toggleTag(model));
    return exact ?? this.#globs.find(({ glob }) => glob.fits(model))?.route ?? this.#everyHost;
  }

  #add({ model, tiers, strategy, allowedStrategies, ...limits }: RouteOptions): void {
    const isGlob = model.includes('*');
    const asked = isGlob ? undefined : model;
    const route = routeOver(
      tiers.map((tier) => tier.flatMap((target) => this.#targets(target, asked))),
      { ...limits, name: model, strategy: strategy ?? this.#options.strategy },
      allowedStrategies ?? this.#options.allowedStrategies,
    );
    if (isGlob) this.#globs.push({ glob: new Glob(model), route });
    else this.#exact.set(model, route);
  }

  #targets({ host, group, ...rest }: RouteTargetOptions, asked: string | undefined): Target[] {
    const names = group === undefined ? [host as string] : (this.#options.groups[group] ?? [group]);
    return names.map((name) => {
      const found = this.#hosts.get(name);
      if (!found) throw new RangeError(`a route names the host "${name}", which is not configured`);
      return new Target({ host: found, asked, ...rest });
    });
  }
}

/** Each tier of each variant has a strategy of its own, as a strategy may remember whose turn it is. */
function routeOver(
  tiers: readonly (readonly Target[])[],
  options: Omit<Route, 'tiers' | 'variants'>,
  allowed: readonly LoadBalancingStrategy[],
): Route {
  const variants = new Map<string, Route>();
  const variant = (strategy: LoadBalancingStrategy): Route => ({
    ...options,
    strategy,
    tiers: tiers.map((targets) => ({ targets, strategy: createStrategy(strategy) })),
    variants,
  });
  const route = variant(options.strategy);
  for (const name of allowed) variants.set(name, name === route.strategy ? route : variant(name));
  return route;
}

/** A route with those of its targets that are at these hosts. */
export function restrictedTo(route: Route, hosts: readonly string[]): Route {
  const tiers = route.tiers.map(({ targets, strategy }) => ({
    targets: targets.filter(({ host }) => hosts.includes(host.name)),
    strategy,
  }));
  return { ...route, tiers: tiers.filter(({ targets }) => targets.length > 0) };
}
