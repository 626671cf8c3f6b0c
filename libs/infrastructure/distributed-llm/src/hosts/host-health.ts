import type { Logger } from '@morgan/foundation';
import {
  type HealthMetrics,
  HealthMonitor,
  type HealthState,
  type CheckOutcome,
  type TargetStatus,
} from '@morgan/health-monitor';
import {
  type RequestSender,
  type ResponseBody,
  TransportError,
  type TransportFault,
} from '@morgan/http-transport';
import { AGENT, type HostAddress, OWN_AGENT } from './host-address.ts';
import type { LlmHost } from './host-list.ts';
import { type ModelList, readModelList } from './model-list.ts';

/** What the health of hosts is found out with. */
export interface HostHealthOptions {
  readonly transport: RequestSender;
  readonly logger: Logger;
  readonly metrics: { readonly health: HealthMetrics } | undefined;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
}

/** The host that is watched. */
interface WatchedHost {
  readonly options: LlmHost;
  readonly address: HostAddress;
  readonly models: ModelList;
}

const MODELS = '/models';

/**
 * How soon a mind is changed about a host. One late probe is no proof, and a host that is down is only asked last, so
 * two must fail. One good probe brings it back: slow start and the breaker guard what follows. Live faults count for
 * more than the breaker's five: whatever callers send, their errors alone should not take the service out of rotation.
 */
const THRESHOLDS = { failureThreshold: 2, successThreshold: 1, liveFailureThreshold: 10 };

/** Probes of a host that is down come so many times as often: it shall be in use soon after its return. */
const OFTENER_WHILE_DOWN = 6;

/** The monitor's own limit, above that of the request, so that the request says what went wrong. */
const CHECK_MARGIN_MS = 1_000;

/** Nobody is there: this is never just a path that the host does not have. */
const UNREACHABLE: ReadonlySet<TransportFault> = new Set([
  'connect_refused',
  'dns_failed',
  'connect_timeout',
  'tls_failed',
  'connect_failed',
]);

/**
 * Whether a host can be reached, as probes and live calls find it. Probes cost no tokens: `GET /models` by default,
 * which also gives the list of models. That path is optional in life: what it answers, or that it hangs, takes a host
 * down only where the configuration says what to expect, or where it used to answer and no live call says otherwise. A path
 * that the configuration names is there for this, as `/health` is at inference servers: an error takes the host down.
 */
export class HostHealth {
  readonly #host: WatchedHost;
  readonly #options: HostHealthOptions;
  readonly #monitor: HealthMonitor | undefined;
  #hasResponded = false;
  #liveSuccessAt = -Infinity;
  #probedAt = -Infinity;
  #reading: Promise<void> | undefined;
  /** The list that the latest probe asked for. */
  #listing: Promise<void> | undefined;

  constructor(host: WatchedHost, options: HostHealthOptions) {
    const { logger, metrics, probeIntervalMs, probeTimeoutMs } = options;
    const { probe = {}, name } = host.options;
    this.#host = host;
    this.#options = options;
    if (probe === false) return;
    const { intervalMs = probeIntervalMs, timeoutMs = probeTimeoutMs } = probe;
    const { failureThreshold = THRESHOLDS.failureThreshold, successThreshold = THRESHOLDS.successThreshold } =
      probe;
    this.#monitor = new HealthMonitor({
      targets: { [name]: (signal) => this.#probe(signal, timeoutMs) },
      checkIntervalMs: intervalMs,
      downCheckIntervalMs: Math.ceil(intervalMs / OFTENER_WHILE_DOWN),
      checkTimeoutMs: timeoutMs + CHECK_MARGIN_MS,
      liveFailureThreshold: THRESHOLDS.liveFailureThreshold,
      failureThreshold,
      successThreshold,
      logger,
      ...(metrics && { metrics: metrics.health }),
    });
  }

  /** A first probe and list, then one after each interval. Never rejects. */
  async start(): Promise<void> {
    await this.#monitor?.start();
    await this.#listing;
  }

  stop(): void {
    this.#monitor?.stop();
  }

  /** `UNKNOWN` for a host that is not probed. */
  get state(): HealthState {
    return this.#monitor?.stateOf(this.#host.options.name) ?? 'UNKNOWN';
  }

  get isProbed(): boolean {
    return this.#monitor !== undefined;
  }

  get isDown(): boolean {
    return this.state === 'UNHEALTHY';
  }

  /** The share of its usual traffic that it should get: 0 while down, rising from 0.1 to 1 after its return. */
  get share(): number {
    return this.#monitor?.weightOf(this.#host.options.name) ?? 1;
  }

  get status(): TargetStatus | undefined {
    return this.#monitor?.getStatus().targets[0];
  }

  /** A live attempt ended that says something of the host. */
  report(ok: boolean, durationMs: number): void {
    if (ok) this.#liveSuccessAt = performance.now();
    this.#monitor?.report(this.#host.options.name, { ok, durationMs });
  }

  /** Probes at once, or joins the probe that is running. */
  async checkNow(): Promise<void> {
    await this.#monitor?.checkNow(this.#host.options.name);
    await this.#listing;
  }

  /** Reads the list of models at once: it seems to have changed. Never rejects. */
  refreshModels(): Promise<void> {
    this.#reading ??= this.#readModels().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #probe(signal: AbortSignal, timeoutMs: number): Promise<CheckOutcome | undefined> {
    const { probe } = this.#host.options;
    const { path = MODELS, method = 'GET', expectedStatus } = probe || {};
    const since = this.#probedAt;
    this.#probedAt = performance.now();
    try {
      const { status, body } = await this.#request(path, { signal, timeoutMs, method });
      this.#hasResponded = true;
      if (path !== MODELS) body.destroy();
      // What becomes of the list, or that it hangs, decides nothing about the host.
      this.#listing = path === MODELS ? this.#noteModels(status, body) : this.refreshModels();
      // Who names a path of its own for this knows that it is there, and what its status means.
      const isGood = expectedStatus ? expectedStatus.includes(status) : path === MODELS || status < 400;
      if (!isGood) return failed(`status_${status}`);
      if (expectedStatus) return undefined;
      return status >= 500 ? { verdict: 'degraded', reason: 'server_error' } : undefined;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return this.#isProof(error.reason, since)
        ? failed(error.reason)
        : { verdict: 'degraded', reason: error.reason };
    }
  }

  /** Whether a probe without a response says that the host is down. */
  #isProof(reason: TransportFault, since: number): boolean {
    // Our own calls keep every connection or file of ours busy, so that it was not asked: nothing is new.
    if (reason === 'pool_timeout' || reason === 'out_of_sockets') return this.isDown;
    if (UNREACHABLE.has(reason) || this.#host.options.probe) return true;
    return this.#hasResponded && this.#liveSuccessAt < since;
  }

  async #readModels(): Promise<void> {
    const timeoutMs = this.#options.probeTimeoutMs;
    try {
      const { status, body } = await this.#request(MODELS, { timeoutMs, method: 'GET' });
      await this.#noteModels(status, body);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
    }
  }

  async #noteModels(status: number, body: ResponseBody): Promise<void> {
    if (status === 200) {
      // One that drips has no end.
      const timer = setTimeout(() => body.destroy(), this.#options.probeTimeoutMs).unref();
      this.#host.models.update(await readModelList(body));
      clearTimeout(timer);
    } else {
      body.destroy();
      // A server error or a limit says nothing of the list that was there; anything else says that there is none for us.
      if (status < 500 && status !== 429) this.#host.models.update(undefined);
    }
  }

  async #request(
    path: string,
    {
      timeoutMs,
      ...rest
    }: { method: 'GET' | 'HEAD' | 'POST' | 'OPTIONS'; timeoutMs: number; signal?: AbortSignal },
  ) {
    const { origin, headers, ownNames } = this.#host.address;
    const agent = ownNames.has(AGENT) ? [] : [AGENT, OWN_AGENT];
    const response = await this.#options.transport.request({
      origin,
      path: this.#host.address.pathOf(path),
      headers: ['accept', 'application/json', 'accept-encoding', 'identity', ...agent, ...headers],
      firstByteTimeoutMs: timeoutMs,
      idleTimeoutMs: timeoutMs,
      ...rest,
    });
    return response.decoded();
  }
}

function failed(reason: string): CheckOutcome {
  return { verdict: 'failed', reason };
}
