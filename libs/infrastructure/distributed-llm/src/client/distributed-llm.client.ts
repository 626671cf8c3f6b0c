import {
  type CallContext,
  type HealthIndicator,
  type HealthReading,
  type Logger,
  parseSettings,
  silentLogger,
} from '@morgan/foundation';
import type { HttpTransport } from '@morgan/http-transport';
import type { RedisConnection } from '@morgan/redis';
import { DeadlineScope } from '@morgan/retry';
import type { z } from 'zod';
import type { HostRequest } from '../call/host-request.ts';
import type { HostResponse } from '../call/host-response.ts';
import { RequestMemory } from '../call/request-memory.ts';
import { hostWeight } from '../hosts/host-list.ts';
import type { ModelObject } from '../hosts/model-list.ts';
import type { RouteExplanation } from './explain-route.ts';
import { ClientSetup, type SetupParts } from './client-setup.ts';
import { HostTransports } from './host-transports.ts';
import { isResting, isUp, readingOf } from './host-reading.ts';
import type { DistributedLlmStatus } from './client-status.ts';
import { distributedLlmConfig } from '../distributed-llm.config.ts';
import type { DistributedLlmMetrics } from './distributed-llm-metrics.ts';
import { readRoute, type RouteReading } from './route-reading.ts';
import {
  type CallOptions,
  contextOf,
  type JsonResponse,
  readEvents,
  readJson,
  withSlash,
} from './json-call.ts';

/** A client's hosts and settings, of which all but `hosts` have defaults ({@link distributedLlmConfig}), and its parts. */
export type DistributedLlmOptions = z.input<typeof distributedLlmConfig> & {
  /** Shared with others, and closed by whoever made it. None: the client makes and closes its own. */
  readonly transport?: HttpTransport | undefined;
  readonly logger?: Logger | undefined;
  /** Made once per process. */
  readonly metrics?: DistributedLlmMetrics | undefined;
  /** Shares the limits of hosts with the other replicas. */
  readonly redis?: RedisConnection | undefined;
  /** How the client shows among the health indicators. Default `llm_hosts`, required where `readiness` is `hosts`. */
  readonly indicator?: { readonly name: string; readonly required: boolean } | undefined;
};

/** How long a stop waits for connections to hosts. */
const TRANSPORT_GRACE_MS = 1_000;

/**
 * One client for many OpenAI-compatible hosts. A call goes to the best target; if that fails before any content of a
 * response was handed out, it goes to the next one. What each attempt says about its host, a model or the request is in
 * docs/evidence.md.
 */
export class DistributedLlmClient implements HealthIndicator, AsyncDisposable {
  readonly name: string;
  readonly #isRequired: boolean | undefined;
  readonly #parts: SetupParts;
  #setup: ClientSetup;
  #isRunning = false;
  /** Resolves when no call is left of the configurations before. */
  #idle: Promise<unknown> = Promise.resolve();

  /** @throws ConfigError when a setting is out of its bounds or unknown. */
  constructor({
    transport,
    logger = silentLogger,
    metrics,
    redis,
    indicator,
    ...settings
  }: DistributedLlmOptions) {
    const config = parseSettings(distributedLlmConfig, settings);
    this.name = indicator?.name ?? 'llm_hosts';
    this.#isRequired = indicator?.required;
    const transports = new HostTransports(config, transport);
    this.#parts = { name: this.name, transports, logger, metrics, redis, memory: new RequestMemory() };
    this.#setup = new ClientSetup(config, this.#parts);
  }

  /** Whether the service is of no use without a host. */
  get required(): boolean {
    return this.#isRequired ?? this.#setup.config.readiness === 'hosts';
  }

  /** Probes every host once, then keeps probing. Takes at most twice the probe timeout, as lists may come late, and never rejects. */
  start(): Promise<void> {
    this.#isRunning = true;
    return this.#setup.fleet.start();
  }

  /** Ends the probes and closes the connections that are its own; those that are in use have a second. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#setup.fleet.stop();
    await this.#parts.transports.close(TRANSPORT_GRACE_MS);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Replaces hosts, routes and settings at once: new calls begin under the new ones, those under way end under the old.
   * A host that is configured as before keeps what is known of it. What connections are made with stays as it was
   * ({@link CONNECTION_SETTINGS}). Resolves when the hosts that are new have been probed, if the client is running.
   * @throws ConfigError when a setting is out of its bounds or unknown; nothing is changed then.
   */
  async reload(settings: z.input<typeof distributedLlmConfig>): Promise<void> {
    const previous = this.#setup;
    this.#setup = new ClientSetup(parseSettings(distributedLlmConfig, settings), this.#parts, previous);
    const leaving = previous.fleet.stop(this.#setup.fleet);
    const { metrics, transports } = this.#parts;
    const release = () => {
      // What their last calls came to was counted once more.
      metrics?.hosts.forget(leaving);
      return Promise.all(leaving.map(({ options }) => transports.release(options)));
    };
    // Calls of an earlier configuration may be at such a host, too.
    this.#idle = Promise.all([this.#idle, previous.idle()]);
    void this.#idle.then(release);
    if (this.#isRunning) await this.#setup.fleet.start(previous.fleet.hosts);
  }

  /**
   * Resolves when a response has content, or with a host's refusal where no target has better. A deadline in the context
   * bounds the whole call, the body included.
   * @throws AppError `no_host_available`, `host_timeout`, `host_error` or `host_rejected_credentials` where no host said
   * anything for the caller; `deadline_exceeded`; `client_closed_request`.
   */
  async send(request: HostRequest, context: CallContext): Promise<HostResponse> {
    const setup = this.#setup;
    if (!request.takesUp) setup.budget.countRequest();
    const { id, signal } = context;
    const input = setup.prepare(request, context);
    const { deadline } = input.request;
    const isKept = context.keepsDeadline === true && deadline === context.deadline;
    const scope = deadline && !isKept ? new DeadlineScope({ id, signal, deadline }) : undefined;
    const leave = setup.enter();
    const end = () => {
      scope?.[Symbol.dispose]();
      leave();
    };
    try {
      const response = await setup.call(input, scope?.context ?? context);
      if (response.whole) end();
      else if (response.stream) void response.stream.over.then(end);
      else response.body.once('close', end);
      return response;
    } catch (error) {
      end();
      throw error;
    }
  }

  /**
   * Sends a value as JSON and reads the response to its end.
   * @param path below the base URL of a host, such as `/chat/completions`, with or without the slash in front
   * @throws HostError with the host's own message and status, else as {@link DistributedLlmClient.send}.
   */
  async post(path: string, json: object, options: CallOptions = {}): Promise<JsonResponse> {
    return readJson(await this.#sendJson(path, json, options));
  }

  /** The events of a streamed response, each parsed, as they come. Throws as {@link DistributedLlmClient.post}. */
  async *stream(
    path: string,
    json: object,
    options: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    yield* readEvents(await this.#sendJson(path, { ...json, stream: true }, options), withSlash(path));
  }

  /** The names of the routes and the models of all hosts that are not down, as the hosts describe them. */
  models(): readonly ModelObject[] {
    return this.#setup.fleet.models();
  }

  /** The model that a call of this name is for, as its host describes it. None: no list and no route has it. */
  model(name: string): ModelObject | undefined {
    return this.#setup.fleet.model(name);
  }

  /** The way that calls for a model go; without one, that of all hosts. */
  routeOf(model: string | undefined): RouteReading {
    return readRoute(this.#setup.fleet.routes.find(model));
  }

  /** Probes every host now. @returns by host, whether it is up; a host that is not probed counts as up. */
  async healthCheckAll(): Promise<Readonly<Record<string, boolean>>> {
    const { hosts } = this.#setup.fleet;
    await Promise.all(hosts.map((host) => host.checkNow()));
    return Object.fromEntries(hosts.map(({ name, health }) => [name, !health.isDown]));
  }

  /** @throws RangeError when there is no such host, as the two below. */
  enableHost(name: string): Promise<void> {
    return this.#setup.fleet.host(name).enable();
  }

  /** Gives it no new calls, and probes it no more. */
  disableHost(name: string): void {
    this.#setup.fleet.host(name).disable();
  }

  /** Gives it no new calls. */
  drainHost(name: string): void {
    this.#setup.fleet.host(name).drain();
  }

  /** Its share of calls relative to the others', above 0, until the configuration has another weight for it. */
  setHostWeight(name: string, weight: number): void {
    const host = this.#setup.fleet.host(name);
    host.weight = hostWeight.parse(weight);
  }

  /** Holds a host's breaker open or closed, whatever its calls say; `auto` lets it decide by itself again, from closed. */
  setHostCircuit(name: string, circuit: 'open' | 'closed' | 'auto'): void {
    const { breaker } = this.#setup.fleet.host(name).policies;
    if (circuit === 'open') breaker.forceOpen();
    else if (circuit === 'closed') breaker.forceClose();
    else breaker.reset();
  }

  /** Whatever a host rests from is over, as if it had answered. */
  forgetRests(name: string): void {
    this.#setup.fleet.host(name).rests.endAll();
  }

  /** How such a request would be routed now: its route, and of every target whether it could be asked or why not. Changes nothing. */
  explain(request: HostRequest): RouteExplanation {
    return this.#setup.explain(request, contextOf({}));
  }

  /** Of each host, by name. */
  getMetrics(): Readonly<Record<string, DistributedLlmStatus['hosts'][number]>> {
    return Object.fromEntries(this.#setup.fleet.hosts.map((host) => [host.name, host.getStatus()]));
  }

  getStatus(): DistributedLlmStatus {
    return {
      hosts: this.#setup.fleet.hosts.map((host) => host.getStatus()),
      budget: this.#setup.budget.getStatus(),
      poisonousRequests: this.#parts.memory.size,
    };
  }

  /**
   * Up while at least one host may be, as probes and live calls have found, and does not rest as a whole. Breakers only show: they
   * need calls to close. Where readiness goes by hosts rests only show as well: who is refused is to hear why and for how long.
   */
  read(): HealthReading {
    const { hosts } = this.#setup.fleet;
    const details = hosts.map((host) => [host.name, readingOf(host)] as const);
    const up = hosts.some((host) => isUp(host) && (this.required || !isResting(host)));
    return { up, details: Object.fromEntries(details) };
  }

  #sendJson(path: string, json: object, options: CallOptions): Promise<HostResponse> {
    const body = Buffer.from(JSON.stringify(json));
    const headers = { 'content-type': 'application/json' };
    return this.send({ method: 'POST', path: withSlash(path), headers, body }, contextOf(options));
  }
}
