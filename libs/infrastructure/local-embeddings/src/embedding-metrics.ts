import type { Counter, Gauge, Histogram, Metrics } from '@morgan/telemetry';

/** What is read when somebody asks for the figures. */
export interface EmbeddingFigures {
  readonly waitingTexts: () => number;
  readonly waitingTokens: () => number;
}

/** What the embedding engine counts. */
export class EmbeddingMetrics {
  readonly batches: Counter;
  readonly batchSize: Histogram;
  readonly texts: Counter;
  readonly tokens: Counter;
  readonly truncated: Counter;
  readonly failed: Counter;
  readonly faultyVectors: Counter;
  readonly refused: Counter<'reason'>;
  readonly inference: Histogram;
  readonly restarts: Counter<'reason'>;
  readonly batchBudget: Gauge;

  constructor(metrics: Metrics, figures: EmbeddingFigures) {
    const counter = (name: string, help: string) =>
      metrics.counter({ name: `morgan_embedding_${name}`, help });
    const gauge = (name: string, help: string, read: () => number) =>
      metrics.gauge({ name: `morgan_embedding_${name}`, help }, (its) => its.set(read()));
    this.batches = counter('batches_total', 'Batches that an inference process has finished.');
    this.texts = counter(
      'texts_total',
      'Texts that were embedded. Those that came from the cache do not count.',
    );
    this.tokens = counter('tokens_total', 'Tokens that the model has read.');
    this.truncated = counter('truncated_total', 'Texts that were cut to the limit of the model.');
    this.failed = counter('failed_total', 'Texts on which the model failed, also on a second try.');
    this.faultyVectors = counter(
      'faulty_vectors_total',
      'Vectors with a value that is no finite number. Their inputs get 500 `vector_not_finite`; nothing of them is cached.',
    );
    this.refused = metrics.counter({
      name: 'morgan_embedding_refused_total',
      help: 'Calls that were refused: `queue` is full, or a text does not fit into `memory`.',
      labels: ['reason'],
    });
    this.restarts = metrics.counter({
      name: 'morgan_embedding_process_restarts_total',
      help: 'Model processes that were started again: after a `crash`, or to give `memory` back.',
      labels: ['reason'],
    });
    this.batchSize = metrics.histogram({
      name: 'morgan_embedding_batch_size',
      help: 'Texts in a batch.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    });
    this.inference = metrics.histogram({
      name: 'morgan_embedding_inference_duration_seconds',
      help: 'Time that an inference process took for a batch.',
    });
    this.batchBudget = metrics.gauge({
      name: 'morgan_embedding_batch_memory_bytes',
      help: 'Memory that one batch may take: what the ceiling leaves beside the loaded model.',
    });
    gauge('queue_length', 'Texts that wait to be tokenised or computed.', figures.waitingTexts);
    gauge('queue_tokens', 'Tokens that wait or are being computed.', figures.waitingTokens);
  }
}
