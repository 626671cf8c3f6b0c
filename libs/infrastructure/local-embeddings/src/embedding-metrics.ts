import type { Gauge, Histogram, Metrics } from '@morgan/telemetry';

/** What is read when somebody asks for the figures. */
interface EmbeddingFigures {
  readonly waitingTexts: () => number;
  readonly waitingTokens: () => number;
}

type Values<Label extends string> = Readonly<Record<Label, string>>;

/** A counter of one model. */
interface ModelCounter<Label extends string = never> {
  inc(labels?: Values<Label>, amount?: number): void;
}

type Declared = ReturnType<typeof declare>;
/** A metric is declared once in one place, however many models count there. */
const DECLARED = new WeakMap<Metrics, Declared>();

/** What the engine of one model counts. Several models of a process share their metrics, by the label `model`. */
export class EmbeddingMetrics {
  readonly batches: ModelCounter;
  readonly texts: ModelCounter;
  readonly tokens: ModelCounter;
  readonly truncated: ModelCounter;
  readonly failed: ModelCounter;
  readonly faultyVectors: ModelCounter;
  readonly refused: ModelCounter<'reason'>;
  readonly restarts: ModelCounter<'reason'>;
  readonly #all: Declared;
  readonly #model: string;

  /** @param model the name under which it is served: one of those that are configured, so that there are few */
  constructor(metrics: Metrics, model: string, figures: EmbeddingFigures) {
    const all = DECLARED.get(metrics) ?? declare(metrics);
    DECLARED.set(metrics, all);
    all.figures.set(model, figures);
    this.#all = all;
    this.#model = model;
    const plain = (counter: Declared['batches']): ModelCounter => {
      // A series that begins with its first fault would hide that fault from every rate.
      counter.inc({ model }, 0);
      return { inc: (_, amount) => counter.inc({ model }, amount) };
    };
    const byReason = (counter: Declared['refused'], reasons: readonly string[]): ModelCounter<'reason'> => {
      for (const reason of reasons) counter.inc({ model, reason }, 0);
      return { inc: (labels, amount) => counter.inc({ ...labels, model }, amount) };
    };
    this.batches = plain(all.batches);
    this.texts = plain(all.texts);
    this.tokens = plain(all.tokens);
    this.truncated = plain(all.truncated);
    this.failed = plain(all.failed);
    this.faultyVectors = plain(all.faultyVectors);
    this.refused = byReason(all.refused, ['queue', 'memory']);
    this.restarts = byReason(all.restarts, ['crash', 'memory']);
  }

  /** A batch is through. */
  ran(texts: number, inferenceMs: number): void {
    const labels = { model: this.#model };
    this.batches.inc();
    this.#all.batchSize.observe(labels, texts);
    this.#all.inference.observe(labels, inferenceMs / 1000);
  }

  /** @param bytes that a batch may take; undefined once the model is not loaded any more */
  loaded(bytes: number | undefined): void {
    this.#all.loaded.set({ model: this.#model }, bytes === undefined ? 0 : 1);
    this.#all.batchBudget.set({ model: this.#model }, bytes ?? 0);
  }
}

function declare(metrics: Metrics) {
  const figures = new Map<string, EmbeddingFigures>();
  const labels = ['model'] as const;
  const counter = (name: string, help: string) =>
    metrics.counter({ name: `morgan_embedding_${name}`, help, labels });
  const byReason = (name: string, help: string) =>
    metrics.counter({ name: `morgan_embedding_${name}`, help, labels: ['model', 'reason'] });
  const histogram = (name: string, help: string, buckets?: readonly number[]): Histogram<'model'> =>
    metrics.histogram({ name: `morgan_embedding_${name}`, help, labels, ...(buckets ? { buckets } : {}) });
  return {
    ...declareState(metrics, figures),
    figures,
    batches: counter('batches_total', 'Batches that an inference process has finished.'),
    texts: counter(
      'texts_total',
      'Texts that were embedded or ranked. Those that came from the cache do not count.',
    ),
    tokens: counter('tokens_total', 'Tokens that the model has read.'),
    truncated: counter('truncated_total', 'Texts that were cut to the limit of the model.'),
    failed: counter('failed_total', 'Texts on which the model failed, also on a second try.'),
    faultyVectors: counter(
      'faulty_vectors_total',
      'Vectors with a value that is no finite number. Their inputs get 500 `vector_not_finite`; nothing of them is cached.',
    ),
    refused: byReason(
      'refused_total',
      'Calls that were refused: `queue` is full, or a text does not fit into `memory`.',
    ),
    restarts: byReason(
      'process_restarts_total',
      'Model processes that were started again: after a `crash`, or to give `memory` back.',
    ),
    batchSize: histogram('batch_size', 'Texts in a batch.', [1, 2, 4, 8, 16, 32, 64, 128, 256]),
    inference: histogram('inference_duration_seconds', 'Time that an inference process took for a batch.'),
  };
}

/** What is so at the moment. */
function declareState(metrics: Metrics, figures: ReadonlyMap<string, EmbeddingFigures>) {
  const labels = ['model'] as const;
  const gauge = (name: string, help: string, read?: (its: EmbeddingFigures) => number): Gauge<'model'> =>
    metrics.gauge(
      { name: `morgan_embedding_${name}`, help, labels },
      read &&
        ((its) => {
          for (const [model, figure] of figures) its.set({ model }, read(figure));
        }),
    );
  return {
    loaded: gauge('model_loaded', 'Whether a model is loaded: 1 or 0.'),
    batchBudget: gauge(
      'batch_memory_bytes',
      'Memory that batches may take together, and one alone at most: what the ceiling leaves beside the loaded models.',
    ),
    queueLength: gauge('queue_length', 'Texts that wait to be tokenised or computed.', (its) =>
      its.waitingTexts(),
    ),
    queueTokens: gauge('queue_tokens', 'Tokens that wait or are being computed.', (its) =>
      its.waitingTokens(),
    ),
  };
}
