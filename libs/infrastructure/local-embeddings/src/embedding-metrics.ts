import type { Counter, Histogram, Metrics } from '@morgan/telemetry';

/** What the embedding engine counts. */
export class EmbeddingMetrics {
  readonly batches: Counter;
  readonly batchSize: Histogram;
  readonly texts: Counter;
  readonly tokens: Counter;
  readonly truncated: Counter;
  readonly inference: Histogram;
  readonly restarts: Counter;
  readonly faultyVectors: Counter;

  constructor(metrics: Metrics, queueLength: () => number) {
    const counter = (name: string, help: string) =>
      metrics.counter({ name: `morgan_embedding_${name}`, help });
    this.batches = counter('batches_total', 'Batches that a worker has finished.');
    this.texts = counter(
      'texts_total',
      'Texts that were embedded. Those that came from the cache do not count.',
    );
    this.tokens = counter('tokens_total', 'Tokens that the model has read.');
    this.truncated = counter('truncated_total', 'Texts that were cut to the limit of the model.');
    this.restarts = counter(
      'worker_restarts_total',
      'Inference workers that were started again after a crash.',
    );
    this.faultyVectors = counter(
      'faulty_vectors_total',
      'Vectors with a value that is no finite number. Their inputs get 500 `vector_not_finite`; nothing of them is cached.',
    );
    this.batchSize = metrics.histogram({
      name: 'morgan_embedding_batch_size',
      help: 'Texts in a batch.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    });
    this.inference = metrics.histogram({
      name: 'morgan_embedding_inference_duration_seconds',
      help: 'Time that a worker took for a batch: tokenising and inference.',
    });
    metrics.gauge({ name: 'morgan_embedding_queue_length', help: 'Texts that wait for a worker.' }, (gauge) =>
      gauge.set(queueLength()),
    );
  }
}
