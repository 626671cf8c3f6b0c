import type { HostResponse } from '@morgan/distributed-llm';
import type { StreamFault, StreamOutcome, TokenUsage } from '@morgan/llm-protocol';
import type { Counter, Metrics } from '@morgan/telemetry';

/** Of models that the configuration or a host's list names; what callers type beside that is none. A list may be of any length. */
const MOST_MODELS = 200;
const OTHER_MODEL = 'other';

/** What is counted of responses on their way to callers. */
export class ResponseMetrics {
  readonly #models = new Set<string>();
  readonly #interruptions: Counter<'reason'>;
  readonly #resumes: Counter<never>;
  readonly #malformed: Counter<'host'>;
  readonly #tokens: Counter<'host' | 'route' | 'model' | 'kind'>;

  constructor(metrics: Metrics) {
    this.#interruptions = metrics.counter({
      name: 'morgan_llm_stream_interruptions_total',
      help: 'Streams that ended with an error after their first content, by what broke them (docs/streaming.md).',
      labels: ['reason'],
    });
    this.#resumes = metrics.counter({
      name: 'morgan_llm_stream_resumes_total',
      help: 'How often a stream that broke was taken up by another host.',
      labels: [],
    });
    this.#malformed = metrics.counter({
      name: 'morgan_llm_stream_malformed_events_total',
      help: 'Events of streams that could not be read and were left out, by the host that began the stream.',
      labels: ['host'],
    });
    this.#tokens = metrics.counter({
      name: 'morgan_llm_tokens_total',
      help: 'Tokens as hosts count them, one for each event with content of a stream that its host did not count to its end, by the host that made them, route (empty without one), model (those that the configuration or a host names, the first 200; else `other`) and kind: `input`, `output`, `cached_input` (a part of `input`).',
      labels: ['host', 'route', 'model', 'kind'],
    });
  }

  interrupted(reason: StreamFault['reason']): void {
    this.#interruptions.inc({ reason });
  }

  streamEnded(host: string, { malformed, resumes }: StreamOutcome): void {
    if (resumes > 0) this.#resumes.inc({}, resumes);
    if (malformed > 0) this.#malformed.inc({ host }, malformed);
  }

  counted(response: HostResponse, { input, output, cachedInput }: TokenUsage): void {
    if (input) this.#count(response, 'input', input);
    if (output) this.#count(response, 'output', output);
    if (cachedInput) this.#count(response, 'cached_input', cachedInput);
  }

  #count({ host, route = '', model, isModelNamed }: HostResponse, kind: string, tokens: number): void {
    this.#tokens.inc({ host, route, model: isModelNamed ? this.#labelOf(model) : OTHER_MODEL, kind }, tokens);
  }

  #labelOf(model = OTHER_MODEL): string {
    if (this.#models.has(model)) return model;
    if (this.#models.size >= MOST_MODELS) return OTHER_MODEL;
    this.#models.add(model);
    return model;
  }
}
