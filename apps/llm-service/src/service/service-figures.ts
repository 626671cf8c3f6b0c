/** What a service has done since it was made. */
export interface ServiceMetrics {
  readonly generationCount: number;
  readonly embeddingCount: number;
  /** Prompts and answers together, as hosts counted them. */
  readonly totalTokensUsed: number;
  readonly requestCount: number;
  readonly errorCount: number;
  /** Over the whole time. */
  readonly requestsPerSecond: number;
  /** Of all requests that have ended, from 0 to 1. */
  readonly errorRate: number;
  /** Of those that succeeded, in milliseconds; 0 before the first. */
  readonly averageResponseMs: number;
}

/** Counts the calls of one service. */
export class ServiceFigures {
  readonly #startedAt = performance.now();
  readonly #counts = { generation: 0, embedding: 0 };
  #requests = 0;
  #errors = 0;
  #tokens = 0;
  #totalMs = 0;

  async count<Result extends { readonly tokens: number }>(
    kind: 'generation' | 'embedding',
    work: () => Promise<Result>,
  ): Promise<Result> {
    const startedAt = performance.now();
    this.#requests += 1;
    try {
      const result = await work();
      this.#counts[kind] += 1;
      this.#tokens += result.tokens;
      this.#totalMs += performance.now() - startedAt;
      return result;
    } catch (error) {
      this.#errors += 1;
      throw error;
    }
  }

  read(): ServiceMetrics {
    const { generation, embedding } = this.#counts;
    const succeeded = generation + embedding;
    const ended = succeeded + this.#errors;
    return {
      generationCount: generation,
      embeddingCount: embedding,
      totalTokensUsed: this.#tokens,
      requestCount: this.#requests,
      errorCount: this.#errors,
      requestsPerSecond: (this.#requests * 1000) / Math.max(1, performance.now() - this.#startedAt),
      errorRate: ended === 0 ? 0 : this.#errors / ended,
      averageResponseMs: succeeded === 0 ? 0 : this.#totalMs / succeeded,
    };
  }
}
