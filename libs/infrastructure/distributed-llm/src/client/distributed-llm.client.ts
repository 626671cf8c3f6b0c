import type { IncomingHttpHeaders } from 'node:http';
import {
  type CallContext,
  type HealthIndicator,
  type HealthReading,
  type Logger,
  silentLogger,
} from '@morgan/foundation';
import type { HttpTransport, TransportRequest } from '@morgan/http-transport';
import type { RedisConnection } from '@morgan/redis';
import { DeadlineScope, RetryBudget } from '@morgan/retry';
import type { z } from 'zod';
import { Call } from '../call/call.ts';
import type { CallParts } from '../call/call-parts.ts';
import type { HostResponse } from '../call/host-response.ts';
import { prepareCall } from '../call/prepare-call.ts';
import { RequestMemory } from '../call/request-memory.ts';
import type { ModelObject } from '../hosts/model-list.ts';
import { Panic } from '../routing/panic.ts';
import { TargetSelector } from '../routing/target-selector.ts';
import { usualSilenceIn } from '../routing/usual-silence.ts';
import { ClientFleet } from './client-fleet.ts';
import { isUp, readingOf } from './host-reading.ts';
import type { DistributedLlmStatus } from './client-status.ts';
import { type DistributedLlmConfig, distributedLlmConfig } from './distributed-llm.config.ts';
import type { DistributedLlmMetrics } from './distributed-llm-metrics.ts';
import { type CallOptions, contextOf, type JsonAnswer, readEvents, readJson } from './json-call.ts';

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

/** A call for whichever host is best. */
export interface HostRequest {
  readonly method: TransportRequest['method'];
  /** Below the host's base URL, starting with a slash: `/chat/completions`. */
  readonly path: string;
  /** The caller's headers; only an allow-list of them is passed on. */
  readonly headers: IncomingHttpHeaders;
  /** Passed on byte for byte, but for the name of the model where a target has another. */
  readonly body?: Buffer | undefined;
  /** Left out, it is read from the body. */
  readonly model?: string | undefined;
  /** Whether a streamed answer is asked for. Left out, it is read from the body. */
  readonly stream?: boolean | undefined;
}

/** How long a stop waits for connections to hosts. */
const TRANSPORT_GRACE_MS = 1_000;

/**
 * Many OpenAI-compatible hosts as one. A call goes to the best target and on to the next one while no content of an
 * answer has been handed out; what each attempt says of its host, of a model or of the request is in docs/evidence.md.
 */
export class DistributedLlmClient implements HealthIndicator {
  readonly name: string;
  readonly required: boolean;
  readonly #config: DistributedLlmConfig;
  readonly #fleet: ClientFleet;
  readonly #budget: RetryBudget;
  readonly #memory = new RequestMemory();
  readonly #parts: CallParts;

  /** @throws ZodError when a setting is out of its bounds or unknown. */
  constructor({
    transport,
    logger = silentLogger,
    metrics,
    redis,
    indicator,
    ...settings
  }: DistributedLlmOptions) {
    const config = distributedLlmConfig.parse(settings);
    this.#config = config;
    this.name = indicator?.name ?? 'llm_hosts';
    this.required = indicator?.required ?? config.readiness === 'hosts';
    this.#fleet = new ClientFleet(config, { transport, logger, metrics, redis });
    this.#budget = new RetryBudget({ ...config.budget, metrics: metrics?.budget.of(this.name) });
    this.#parts = this.#callParts(logger, metrics);
  }

  /** Probes every host once, then keeps probing. Takes at most the probe timeout and never rejects. */
  start(): Promise<void> {
    return this.#fleet.start();
  }

  /** Ends the probes and closes the connections that are its own; those that are in use have a second. */
  async stop(): Promise<void> {
    this.#fleet.stop();
    await this.#fleet.transports.close(TRANSPORT_GRACE_MS);
  }

  /**
   * Resolves when an answer has content, or with a host's refusal where no target has better. A deadline in the context
   * bounds the whole call, the body included.
   * @throws AppError `no_host_available`, `host_timeout`, `host_error` or `host_rejected_credentials` where no host said
   * anything for the caller; `deadline_exceeded`; `client_closed_request`.
   */
  async send(request: HostRequest, context: CallContext): Promise<HostResponse> {
    this.#budget.countRequest();
    const { id, signal, deadline } = context;
    if (!deadline) return this.#call(request, context);
    const scope = new DeadlineScope({ id, signal, deadline });
    const dispose = () => scope[Symbol.dispose]();
    try {
      const response = await this.#call(request, scope.context);
      response.body.once('close', dispose);
      return response;
    } catch (error) {
      dispose();
      throw error;
    }
  }

  /**
   * Sends a value as JSON and reads the answer to its end.
   * @throws HostError with the host's own message and status, else as {@link DistributedLlmClient.send}.
   */
  async post(path: string, json: object, options: CallOptions = {}): Promise<JsonAnswer> {
    return readJson(await this.#sendJson(path, json, options));
  }

  /** The events of a streamed answer, each parsed, as they come. Throws as {@link DistributedLlmClient.post}. */
  async *stream(
    path: string,
    json: object,
    options: CallOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    yield* readEvents(await this.#sendJson(path, { ...json, stream: true }, options));
  }

  /** The names of the routes and the models of all hosts that are not down, as the hosts describe them. */
  models(): readonly ModelObject[] {
    return this.#fleet.models();
  }

  /** Probes every host now. @returns by host, whether it is up; a host that is not probed counts as up. */
  async healthCheckAll(): Promise<Readonly<Record<string, boolean>>> {
    const { hosts } = this.#fleet;
    await Promise.all(hosts.map(({ health }) => health.checkNow()));
    return Object.fromEntries(hosts.map(({ name, health }) => [name, !health.isDown]));
  }

  /** @throws RangeError when there is no such host, as the two below. */
  enableHost(name: string): Promise<void> {
    return this.#fleet.host(name).enable();
  }

  /** Gives it no new calls, and probes it no more. */
  disableHost(name: string): void {
    this.#fleet.host(name).disable();
  }

  /** Gives it no new calls. */
  drainHost(name: string): void {
    this.#fleet.host(name).drain();
  }

  /** Of each host, by name. */
  getMetrics(): Readonly<Record<string, DistributedLlmStatus['hosts'][number]>> {
    return Object.fromEntries(this.#fleet.hosts.map((host) => [host.name, host.getStatus()]));
  }

  getStatus(): DistributedLlmStatus {
    return {
      hosts: this.#fleet.hosts.map((host) => host.getStatus()),
      budget: this.#budget.getStatus(),
      poisonousRequests: this.#memory.size,
    };
  }

  /** Up while at least one host may be, as probes and live calls have found. Breakers only show: they need calls to close. */
  read(): HealthReading {
    const { hosts } = this.#fleet;
    const details = hosts.map((host) => [host.name, readingOf(host)] as const);
    return { up: hosts.some(isUp), details: Object.fromEntries(details) };
  }

  #sendJson(path: string, json: object, options: CallOptions): Promise<HostResponse> {
    const body = Buffer.from(JSON.stringify(json));
    const headers = { 'content-type': 'application/json' };
    return this.send({ method: 'POST', path, headers, body }, contextOf(options));
  }

  #call(request: HostRequest, context: CallContext): Promise<HostResponse> {
    const input = prepareCall(request, context, { config: this.#config, routes: this.#fleet.routes });
    return new Call(this.#parts, input, context).run();
  }

  #callParts(logger: Logger, metrics: DistributedLlmMetrics | undefined): CallParts {
    const { circuitBreaker, panic: panicConfig, maxRetryAfterWaitMs } = this.#config;
    const panic = new Panic(panicConfig);
    return {
      attempts: {
        transportOf: ({ host }) => this.#fleet.transports.of(host.name),
        budget: this.#budget,
        panic,
        metrics: metrics?.hosts,
        slowCallMs: circuitBreaker.slowCallMs ?? Infinity,
        usualSilenceMs: usualSilenceIn(this.#fleet.routes),
        onLockout: ({ host }, reason, requestId) =>
          logger.error(
            { host: host.name, reason, requestId },
            'host refuses our key: it is asked last until it takes it',
          ),
      },
      selector: new TargetSelector(panic),
      memory: this.#memory,
      budget: this.#budget,
      logger,
      metrics: metrics?.hosts,
      maxRetryAfterWaitMs,
    };
  }
}
