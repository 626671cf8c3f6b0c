import type { Logger } from '@morgan/foundation';
import { type HttpTransport, TransportError } from '@morgan/http-transport';
import type { Host } from './host.ts';
import { FAULT_OF, type HostFault } from './host-outcome.ts';
import { readModelList } from './model-list.ts';

/** What {@link HostProber} works with. */
export interface HostProberOptions {
  readonly transport: HttpTransport;
  readonly logger: Logger;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
}

/** Keeps every host from being asked by all replicas at the same moment. */
const JITTER = 0.1;

/**
 * Asks every host for its models from time to time. Any answer below 500 means that it is reachable: 401 and 404 come
 * from a living server too. A host's next probe is set when its last one has ended, so probes never overlap.
 */
export class HostProber {
  readonly #timers = new Map<Host, NodeJS.Timeout>();
  readonly #running = new Set<AbortController>();
  #stopped = false;

  constructor(
    private readonly hosts: readonly Host[],
    private readonly options: HostProberOptions,
  ) {}

  /** Resolves when every host has been probed once, at the latest after the probe timeout. Never rejects. */
  async start(): Promise<void> {
    await Promise.all(this.hosts.map((host) => this.#round(host)));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const probe of this.#running) probe.abort();
  }

  async #round(host: Host): Promise<void> {
    await this.#probe(host);
    if (this.#stopped) return;
    const delayMs = this.options.probeIntervalMs * (1 - JITTER + 2 * JITTER * Math.random());
    this.#timers.set(host, setTimeout(() => void this.#round(host), delayMs).unref());
  }

  async #probe(host: Host): Promise<void> {
    const aborter = new AbortController();
    const timer = setTimeout(() => aborter.abort(), this.options.probeTimeoutMs);
    this.#running.add(aborter);
    const startedAt = performance.now();
    try {
      const fault = await this.#ask(host, aborter.signal, startedAt);
      if (fault) this.#missed(host, fault);
      else if (host.reached()) {
        this.options.logger.info({ host: host.name, models: host.models.length }, 'host is up');
      }
    } catch (error) {
      if (!this.#stopped) this.#missed(host, aborter.signal.aborted ? 'timeout' : faultOf(error), error);
    } finally {
      clearTimeout(timer);
      this.#running.delete(aborter);
    }
  }

  async #ask(host: Host, signal: AbortSignal, startedAt: number): Promise<HostFault | undefined> {
    const { probeTimeoutMs } = this.options;
    const response = await this.options.transport.request({
      origin: host.origin,
      path: `${host.basePath}/models`,
      method: 'GET',
      headers: [
        'accept',
        'application/json',
        ...(host.authorization ? ['authorization', host.authorization] : []),
      ],
      signal,
      firstByteTimeoutMs: probeTimeoutMs,
      idleTimeoutMs: probeTimeoutMs,
    });
    if (response.status !== 200) {
      response.discard();
      if (response.status >= 500) return 'server_error';
    }
    const models = response.status === 200 ? await readModelList(response.body) : undefined;
    host.described(performance.now() - startedAt, models);
    return undefined;
  }

  #missed(host: Host, fault: HostFault, error?: unknown): void {
    if (!host.missed(fault)) return;
    this.options.logger.warn({ host: host.name, reason: fault, ...(error ? { error } : {}) }, 'host is down');
  }
}

function faultOf(error: unknown): HostFault {
  return (error instanceof TransportError && FAULT_OF[error.reason]) || 'bad_response';
}
