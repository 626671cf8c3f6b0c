import { Injectable } from '@nestjs/common';
import { type CacheResult, type CacheUse, EmbeddingCache, embeddingKey } from '@morgan/cache';
import { AppError, type CallContext } from '@morgan/foundation';
import { DeadlinePolicy } from '@morgan/retry';
import { type EmbeddingInput, EmbeddingModel } from './embedding-model.ts';
import { EmbeddingsAnswer } from './embeddings-answer.ts';
import type { EmbeddingsRequest } from './embeddings.schema.ts';

/** An answer, and how each of its different inputs was answered. */
export interface EmbeddingsOutcome {
  readonly answer: EmbeddingsAnswer;
  readonly results: readonly CacheResult[];
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
  embed(
    request: EmbeddingsRequest,
    context: CallContext,
    use: CacheUse = 'normal',
  ): Promise<EmbeddingsOutcome> {
    return this.#deadline.execute((bounded) => this.#embed(request, bounded, use), context);
  }

  async #embed(request: EmbeddingsRequest, context: CallContext, use: CacheUse): Promise<EmbeddingsOutcome> {
    this.#checkModel(request.model);
    const dimensions = this.#checkDimensions(request.dimensions ?? undefined);
    const inputs = listInputs(request.input);
    const truncate = request.truncate ?? this.model.truncatesByDefault;
    const { entries: items, results } = await this.#collect(inputs, { truncate, context, use });
    const answer = new EmbeddingsAnswer({
      model: this.model.id,
      items,
      dimensions: dimensions ?? this.model.dimensions,
      encoding: request.encoding_format ?? 'float',
    });
    return { answer, results: [...results.values()] };
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

  #collect(
    inputs: readonly EmbeddingInput[],
    { truncate, context, use }: { truncate: boolean; context: CallContext; use: CacheUse },
  ) {
    const identity = { fingerprint: this.model.fingerprint(), prompt: '', truncate };
    const keys = inputs.map((input) => embeddingKey(identity, this.model.significantPart(input)));
    const positionOf = new Map(keys.map((key, index) => [key, index]).toReversed() as [string, number][]);
    const compute = (missing: readonly string[]) => {
      const positions = missing.map((key) => positionOf.get(key) as number);
      const wanted = positions.map((position) => inputs[position] as EmbeddingInput);
      return this.model.embed(wanted, context, { truncate, positions });
    };
    return this.cache.resolve(keys, compute, { context, use });
  }
}

/** A lone list of numbers is one text's token ids; every other list is a list of inputs. */
function listInputs(input: EmbeddingsRequest['input']): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as string[] | number[][]);
}
