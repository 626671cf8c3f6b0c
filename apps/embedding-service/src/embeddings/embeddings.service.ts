import { Injectable } from '@nestjs/common';
import { type CachedEmbedding, EmbeddingCache, embeddingKey } from '@morgan/cache';
import { AppError, type CallContext } from '@morgan/foundation';
import { DeadlinePolicy } from '@morgan/retry';
import { type EmbeddingInput, EmbeddingModel } from './embedding-model.ts';
import { EmbeddingsAnswer } from './embeddings-answer.ts';
import type { EmbeddingsRequest } from './embeddings.schema.ts';

/** An answer and how many of its inputs were in the cache. */
export interface EmbeddingsOutcome {
  readonly answer: EmbeddingsAnswer;
  readonly cacheHits: number;
}

/** Answers embedding requests: what is cached from the cache, the rest from the model, in the order of the inputs. */
@Injectable()
export class EmbeddingsService {
  readonly #deadline = new DeadlinePolicy();

  constructor(
    private readonly model: EmbeddingModel,
    private readonly cache: EmbeddingCache,
  ) {}

  /**
   * Texts that still wait for a worker at the deadline of the call are never computed.
   * @throws AppError `model_not_found`, `invalid_value`, `deadline_exceeded`, and what the model throws
   */
  embed(request: EmbeddingsRequest, context: CallContext): Promise<EmbeddingsOutcome> {
    return this.#deadline.execute((bounded) => this.#embed(request, bounded), context);
  }

  async #embed(request: EmbeddingsRequest, context: CallContext): Promise<EmbeddingsOutcome> {
    this.#checkModel(request.model);
    const dimensions = this.#checkDimensions(request.dimensions ?? undefined);
    const inputs = listInputs(request.input);
    const { items, cacheHits } = await this.#collect(inputs, request.truncate ?? undefined, context);
    const answer = new EmbeddingsAnswer({
      model: this.model.id,
      items,
      dimensions: dimensions ?? this.model.dimensions,
      encoding: request.encoding_format ?? 'float',
    });
    return { answer, cacheHits };
  }

  #checkModel(model: string): void {
    if (model === this.model.id || model === 'default') return;
    throw new AppError(
      'model_not_found',
      `This service serves '${this.model.id}' (also as 'default') and no other model.`,
      {
        param: 'model',
      },
    );
  }

  #checkDimensions(dimensions: number | undefined): number | undefined {
    const full = this.model.dimensions;
    if (dimensions === undefined || dimensions <= full) return dimensions;
    throw new AppError(
      'invalid_value',
      `'dimensions' is ${dimensions}, but the model's vectors have ${full}.`,
      {
        param: 'dimensions',
      },
    );
  }

  async #collect(inputs: readonly EmbeddingInput[], truncate: boolean | undefined, context: CallContext) {
    const fingerprint = this.model.fingerprint();
    const keys = inputs.map((input) => embeddingKey(fingerprint, this.model.significantPart(input)));
    const found = await this.cache.getMany(keys);
    const mayCut = truncate ?? this.model.truncatesByDefault;
    const known = new Map<string, CachedEmbedding>();
    const missing = new Map<string, number>();
    keys.forEach((key, index) => {
      const hit = found[index];
      // The model itself refuses a text that may not be cut: it knows how long it is.
      if (hit && (mayCut || !hit.truncated)) known.set(key, hit);
      else if (!missing.has(key)) missing.set(key, index);
    });
    const fresh = await this.#infer([...missing], inputs, { truncate: mayCut, context });
    for (const [key, item] of fresh) known.set(key, item);
    return {
      items: keys.map((key) => known.get(key) as CachedEmbedding),
      // What repeats an input of the same request was not in the cache.
      cacheHits: keys.filter((key) => !missing.has(key)).length,
    };
  }

  async #infer(
    missing: readonly (readonly [string, number])[],
    inputs: readonly EmbeddingInput[],
    { truncate, context }: { truncate: boolean; context: CallContext },
  ): Promise<(readonly [string, CachedEmbedding])[]> {
    if (missing.length === 0) return [];
    const positions = missing.map(([, index]) => index);
    const wanted = positions.map((index) => inputs[index] as EmbeddingInput);
    const items = await this.model.embed(wanted, context, { truncate, positions });
    const fresh = missing.map(([key], index) => [key, items[index] as CachedEmbedding] as const);
    this.cache.setMany(fresh);
    return fresh;
  }
}

/** A lone list of numbers is one text's token ids; every other list is a list of inputs. */
function listInputs(input: EmbeddingsRequest['input']): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as string[] | number[][]);
}
