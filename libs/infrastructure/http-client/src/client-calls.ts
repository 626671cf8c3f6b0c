import { LinkedList, type ListPlace, MAX_TIMER_MS } from '@morgan/foundation';
import { type CallFigures, CallStatistics } from './call-statistics.ts';
import { ClientCall, type CallOptions } from './client-call.ts';
import type { HttpClientConfig } from './http-client.config.ts';
import type { CallCounter, CallEnd } from './http-client-metrics.ts';

/** The calls of one client: begins them, counts what became of them, and ends those that go on when the client stops. */
export class ClientCalls {
  readonly #inFlight = new LinkedList<ClientCall>();
  readonly #statistics = new CallStatistics();
  #whenIdle: (() => void) | undefined;

  constructor(
    private readonly config: Pick<HttpClientConfig, 'serviceName' | 'timeout' | 'idempotent'>,
    private readonly counter: Pick<CallCounter, 'ended'> | undefined,
  ) {}

  begin(options: CallOptions): ClientCall {
    const { serviceName, timeout, idempotent: isRepeatable } = this.config;
    const { signal, deadline, requestId, timeoutMs = timeout.totalMs, idempotent = isRepeatable } = options;
    const bounds = { signal, deadline, requestId, timeoutMs, idempotent };
    const call = new ClientCall(serviceName, bounds, (end) => this.#ended(place, end));
    const place = this.#inFlight.append(call);
    return call;
  }

  figures(): CallFigures {
    return this.#statistics.figures(this.#inFlight.size);
  }

  /** Waits for those under way, at most so long, then aborts the rest. */
  async end(graceMs: number): Promise<void> {
    if (this.#inFlight.size > 0) await this.#idleWithin(graceMs);
    for (const call of this.#inFlight) call.abort();
  }

  async #idleWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
    });
    clearTimeout(timer);
  }

  #ended(place: ListPlace<ClientCall>, end: CallEnd): void {
    this.#inFlight.remove(place);
    const { item: call } = place;
    const tookMs = (call.respondedAt ?? performance.now()) - call.startedAt;
    this.#statistics.ended(end, tookMs);
    this.counter?.ended(end, tookMs);
    if (this.#inFlight.size === 0) this.#whenIdle?.();
  }
}
