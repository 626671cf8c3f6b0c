import { forgetTarget } from '@morgan/http-client';
import type { Counter, Histogram, Metrics } from '@morgan/telemetry';
import type { Outcome } from '../evidence/outcome.ts';
import { type Host, HOST_MODES } from './host.ts';

/** The metrics of all hosts of one process, whichever client they belong to. Host labels are configured names. */
export class HostMetrics {
  readonly #hosts = new Set<Host>();
  readonly #requests: Counter<'host' | 'outcome'>;
  readonly #firstByte: Histogram<'host'>;
  readonly #firstContent: Histogram<'host'>;
  readonly #failovers: Counter<'reason'>;
  readonly #waits: Histogram<never>;

  constructor(private readonly metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'morgan_llm_host_requests_total',
      help: 'Attempts at a host that ended, by outcome (docs/evidence.md). A streamed answer ends with its last byte.',
      labels: ['host', 'outcome'],
    });
    this.#firstByte = metrics.histogram({
      name: 'morgan_llm_host_first_byte_seconds',
      help: 'Time from the start of an attempt to the headers of its answer, whatever the status, by host.',
      labels: ['host'],
    });
    this.#firstContent = metrics.histogram({
      name: 'morgan_llm_host_first_content_seconds',
      help: 'Time from the start of an attempt to its first content, by host; an answer that is not streamed is content when it is whole.',
      labels: ['host'],
    });
    this.#failovers = metrics.counter({
      name: 'morgan_llm_failovers_total',
      help: 'Calls that went on to another attempt, by what the one before had ended with.',
      labels: ['reason'],
    });
    this.#waits = metrics.histogram({
      name: 'morgan_llm_rest_wait_seconds',
      help: 'Time that calls waited for a host that had asked for it, as no better one was there.',
      labels: [],
    });
    metrics.gauge(
      {
        name: 'morgan_llm_host_in_flight',
        help: 'Attempts that are going on now, by host.',
        labels: ['host'],
      },
      (gauge) => this.#hosts.forEach(({ name, stats }) => gauge.set({ host: name }, stats.inFlight)),
    );
    metrics.gauge(
      {
        name: 'morgan_llm_host_resting',
        help: 'What of a host is passed over now (the host, a model or a path of it), by the outcome that was the reason.',
        labels: ['host', 'outcome'],
      },
      (gauge) => this.#hosts.forEach((host) => showRests(host, gauge)),
    );
    this.#showModes();
  }

  #showModes(): void {
    this.metrics.gauge(
      {
        name: 'morgan_llm_host_mode',
        help: '1 for the mode that operators have put a host in, 0 for the others: `draining` and `disabled` hosts get no new calls.',
        labels: ['host', 'mode'],
      },
      (gauge) => {
        for (const { name: host, mode: current } of this.#hosts)
          for (const mode of HOST_MODES) gauge.set({ host, mode }, Number(mode === current));
      },
    );
  }

  /** Shows what these hosts are doing at every scrape. */
  watch(hosts: readonly Host[]): void {
    for (const host of hosts) this.#hosts.add(host);
  }

  /** Shows them no more, nor what was counted of them, unless another host has taken over the name. */
  forget(hosts: readonly Host[]): void {
    for (const host of hosts) this.#hosts.delete(host);
    const names = new Set([...this.#hosts].map(({ name }) => name));
    for (const { name } of hosts) if (!names.has(name)) forgetTarget(this.metrics, 'host', name);
  }

  responded({ name }: Host, afterMs: number): void {
    this.#firstByte.observe({ host: name }, afterMs / 1000);
  }

  began({ name }: Host, afterMs: number): void {
    this.#firstContent.observe({ host: name }, afterMs / 1000);
  }

  ended({ name }: Host, outcome: Outcome): void {
    this.#requests.inc({ host: name, outcome });
  }

  failedOver(reason: Outcome): void {
    this.#failovers.inc({ reason });
  }

  waited(ms: number): void {
    this.#waits.observe({}, ms / 1000);
  }
}

function showRests(
  { name, rests }: Host,
  gauge: { set(labels: { host: string; outcome: string }, value: number): void },
): void {
  const counts = new Map<Outcome, number>();
  for (const { outcome } of rests.list()) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  for (const [outcome, count] of counts) gauge.set({ host: name, outcome }, count);
}
