import type { IncomingHttpHeaders } from 'node:http';
import type { CircuitBreakerMetrics, CircuitBreakerRegistry, CircuitStatus } from '@morgan/circuit-breaker';
import type { CallContext, HealthIndicator, HealthReading } from '@morgan/foundation';
import type { HealthMetrics, HealthMonitor, TargetStatus } from '@morgan/health-monitor';
import type {
  HttpTransportMetrics,
  ResponseBody,
  TransportRequest,
  TransportResponse,
} from '@morgan/http-transport';
import { DeadlineScope, RetryBudget, type RetryBudgetStatus, type RetryBudgetMetrics } from '@morgan/retry';
import { type FailedTry, hostsFailed, noHostToTry } from './call-error.ts';
import type { DistributedLlmConfig } from './distributed-llm.config.ts';
import { headersFromHost, headersToHost } from './forwarded-headers.ts';
import { Host, type HostFigures, type ModelObject } from './host.ts';
import { guardHosts, type HostBreakersOptions } from './host-breakers.ts';
import { type HostHealthOptions, watchHosts } from './host-health.ts';
import type { LlmHost } from './host-list.ts';
import type { HostMetrics } from './host-metrics.ts';
import { HostSelector } from './host-selector.ts';
import { Upstream, type UpstreamOptions } from './upstream.ts';

/** The metrics that clients write to, each made once per process and shared by all of them. */
export interface DistributedLlmMetrics {
  readonly hosts: HostMetrics;
  readonly health: HealthMetrics;
  readonly circuitBreakers: CircuitBreakerMetrics;
  readonly budget: RetryBudgetMetrics;
  readonly transport: HttpTransportMetrics;
}

/** A client's hosts, what it works with, and its settings, all of which the configuration section has. */
export interface DistributedLlmOptions extends UpstreamOptions, HostHealthOptions, HostBreakersOptions {
  readonly hosts: readonly LlmHost[];
  readonly budget: DistributedLlmConfig['budget'];
  readonly metrics: DistributedLlmMetrics;
  /** How the client shows among the health indicators. Default `llm_hosts`, required. */
  readonly indicator?: { readonly name: string; readonly required: boolean };
}

/** A call for whichever host is best. */
export interface HostRequest {
  readonly method: TransportRequest['method'];
  /** Below the host's base URL, starting with a slash: `/chat/completions`. */
  readonly path: string;
  /** The caller's headers; only an allow-list of them is passed on. */
  readonly headers: IncomingHttpHeaders;
  /** Passed on byte for byte. */
  readonly body?: Buffer | undefined;
  /** Hosts that list this model come first. */
  readonly model?: string | undefined;
}

/** A host's answer. The body must be read to its end or destroyed, or its connection is held for ever. */
export interface HostResponse {
  /** The configured name of the host that answered. */
  readonly host: string;
  readonly status: number;
  /** End-to-end headers, names and values in turn, as the host sent them. */
  readonly headers: string[];
  readonly contentType: string | undefined;
  /** The host's bytes. Breaks with `stream_interrupted` or `client_closed_request`. */
  readonly body: ResponseBody;
  /** How many hosts were tried, this one included. */
  readonly attempts: number;
}

/** What can be said about one host right now. */
export interface HostStatus extends HostFigures {
  readonly health: TargetStatus;
  readonly circuit: CircuitStatus;
}

/** What can be said about a client right now. */
export interface DistributedLlmStatus {
  readonly hosts: readonly HostStatus[];
  /** What is left for further tries, at other hosts or over new connections. */
  readonly budget: RetryBudgetStatus;
}

/** For callers who come while the only call that may find out how a host is does so: nobody knows how long it takes. */
const RETRY_AFTER_MS = 1_000;

/**
 * Many OpenAI-compatible hosts as one. A call goes to the best host and on to the next one while nothing of an answer
 * has been handed out; each host is tried at most once. Knows nothing of what is asked or answered.
 */
export class DistributedLlmClient implements HealthIndicator {
  readonly name: string;
  readonly required: boolean;
  readonly #options: DistributedLlmOptions;
  readonly #hosts: readonly Host[];
  readonly #health: HealthMonitor;
  readonly #breakers: CircuitBreakerRegistry;
  readonly #budget: RetryBudget;
  readonly #selector: HostSelector;
  readonly #upstream: Upstream;

  constructor(options: DistributedLlmOptions) {
    const { metrics, indicator, budget } = options;
    this.#options = options;
    this.name = indicator?.name ?? 'llm_hosts';
    this.required = indicator?.required ?? true;
    this.#hosts = options.hosts.map((host) => new Host(host));
    this.#health = watchHosts(this.#hosts, options);
    this.#breakers = guardHosts(this.#hosts, options);
    this.#budget = new RetryBudget({ ...budget, metrics: metrics.budget.of(this.name) });
    this.#selector = new HostSelector(this.#hosts, this.#health, this.#breakers);
    this.#upstream = new Upstream(options, this.#health, this.#breakers, this.#budget);
    metrics.hosts.watch(this.#hosts);
    for (const { name, origin } of this.#hosts)
      metrics.transport.watch(name, () => options.transport.statusOf(origin));
  }

  /** Probes every host once, then keeps probing. Takes at most the probe timeout and never rejects. */
  start(): Promise<void> {
    return this.#health.start();
  }

  /** Ends the probes. Calls in flight go on: their sockets are the transport's. */
  stop(): void {
    this.#health.stop();
  }

  /**
   * Resolves when an answer has begun: 2xx, or a 4xx that is the caller's to read. A deadline in the context bounds the
   * whole call, the body included.
   * @throws AppError `no_host_available`, `host_timeout` or `host_error` by the last host's fault when no further one
   * can be tried; `host_rejected_credentials`; `deadline_exceeded`; `client_closed_request`.
   */
  async send(request: HostRequest, context: CallContext): Promise<HostResponse> {
    this.#budget.countRequest();
    const { id, signal, deadline } = context;
    if (!deadline) return this.#failOver(request, context);
    const scope = new DeadlineScope({ id, signal, deadline });
    const dispose = () => scope[Symbol.dispose]();
    try {
      const response = await this.#failOver(request, scope.context);
      response.body.once('close', dispose);
      return response;
    } catch (error) {
      dispose();
      throw error;
    }
  }

  /** The models of all hosts that are not down, as the hosts describe them; of equal ids the first. */
  models(): readonly ModelObject[] {
    const byId = new Map<string, ModelObject>();
    for (const host of this.#hosts) {
      if (this.#health.stateOf(host.name) === 'UNHEALTHY') continue;
      for (const model of host.models) if (!byId.has(model.id)) byId.set(model.id, model);
    }
    return [...byId.values()];
  }

  getStatus(): DistributedLlmStatus {
    // By name: targets whose names are numbers come before the others.
    const health = new Map(this.#health.getStatus().targets.map((target) => [target.name, target]));
    return {
      hosts: this.#hosts.map((host) => ({
        ...host.getFigures(),
        health: health.get(host.name) as TargetStatus,
        circuit: this.#breakers.get(host.name).getStatus(),
      })),
      budget: this.#budget.getStatus(),
    };
  }

  /** Up while at least one host is, as probes and live calls have found. Breakers only show: they need calls to close. */
  read(): HealthReading {
    const details = this.#hosts.map(({ name }) => {
      const [state, circuit] = [this.#health.stateOf(name), this.#breakers.get(name).state];
      return [name, { state, circuit }] as const;
    });
    return { up: this.#health.indicator().read().up, details: Object.fromEntries(details) };
  }

  async #failOver(request: HostRequest, { id, signal, deadline }: CallContext): Promise<HostResponse> {
    const { method, path, headers, body, model } = request;
    const call = { method, path, headers: headersToHost(headers, id), body, signal, deadline, id };
    const tried = new Set<Host>();
    let last: FailedTry | undefined;
    for (;;) {
      const host = this.#selector.next(model, tried);
      if (last && !this.#mayGoOn(last, host, id)) throw hostsFailed(tried.size, last);
      if (!host) throw noHostToTry(this.#hosts.length, this.#nextProbeMs());
      tried.add(host);
      const attempt = await this.#upstream.try(host, call);
      if (attempt.kind === 'answered') return present(host, attempt.response, tried.size);
      if (attempt.kind === 'over') throw attempt.error;
      last = attempt;
    }
  }

  /** Whether a call may go on to another host after a failed try. It takes the try from the budget. */
  #mayGoOn({ host, fault, cause }: FailedTry, next: Host | undefined, requestId: string): boolean {
    const { logger, metrics } = this.#options;
    const fields = { requestId, host: host.name, reason: fault, cause };
    if (!next) logger.warn(fields, 'host failed, and none is left to try');
    else if (!this.#budget.take('fallback')) logger.warn(fields, 'host failed, and the budget is used up');
    else {
      metrics.hosts.failedOver(fault);
      logger.warn({ ...fields, next: next.name }, 'host failed, trying another');
      return true;
    }
    return false;
  }

  /** When the first of the hosts that are left alone is asked again. None: they are held open. */
  #nextProbeMs(): number | undefined {
    const waits = this.#hosts.map(({ name }) => {
      const circuit = this.#breakers.get(name).getStatus();
      return circuit.state === 'OPEN' ? (circuit.retryAfterMs ?? Infinity) : RETRY_AFTER_MS;
    });
    const nearest = Math.min(...waits);
    return nearest === Infinity ? undefined : nearest;
  }
}

function present(host: Host, response: TransportResponse, attempts: number): HostResponse {
  return {
    host: host.name,
    status: response.status,
    headers: headersFromHost(response.rawHeaders),
    contentType: response.headers['content-type'],
    body: response.body,
    attempts,
  };
}
