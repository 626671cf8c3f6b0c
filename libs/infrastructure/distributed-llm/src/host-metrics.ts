import type { Counter, Histogram, Metrics } from '@morgan/telemetry';
import type { Host } from './host.ts';
import type { HostFault, HostOutcome } from './host-outcome.ts';

/** The metrics of all hosts of one process, whichever client they belong to. Host labels are configured names. */
export class HostMetrics {
  readonly #hosts = new Set<Host>();
  readonly #requests: Counter<'host' | 'outcome'>;
  readonly #firstByte: Histogram<'host'>;
  readonly #failovers: Counter<'reason'>;

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'morgan_llm_host_requests_total',
      help: 'Tries at a host that ended, by outcome. A streamed answer ends with its last byte.',
      labels: ['host', 'outcome'],
    });
    this.#firstByte = metrics.histogram({
      name: 'morgan_llm_host_first_byte_seconds',
      help: 'Time from the start of a try to the headers of its answer, whatever the status, by host.',
      labels: ['host'],
    });
    this.#failovers = metrics.counter({
      name: 'morgan_llm_failovers_total',
      help: 'Calls that went on to another host, by what the one before had done.',
      labels: ['reason'],
    });
    metrics.gauge(
      { name: 'morgan_llm_host_in_flight', help: 'Tries that are going on now, by host.', labels: ['host'] },
      (gauge) => this.#hosts.forEach(({ name, inFlight }) => gauge.set({ host: name }, inFlight)),
    );
  }

  /** Shows what these hosts are doing at every scrape. */
  watch(hosts: readonly Host[]): void {
    for (const host of hosts) this.#hosts.add(host);
  }

  answered({ name }: Host, afterMs: number): void {
    this.#firstByte.observe({ host: name }, afterMs / 1000);
  }

  ended({ name }: Host, outcome: HostOutcome): void {
    this.#requests.inc({ host: name, outcome });
  }

  failedOver(reason: HostFault): void {
    this.#failovers.inc({ reason });
  }
}
