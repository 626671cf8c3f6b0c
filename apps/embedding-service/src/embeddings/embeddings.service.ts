import { Injectable } from '@nestjs/common';
import { type CachedEmbedding, EmbeddingCache, embeddingKey } from '@morgan/cache';
import { AppError, type CallContext } from '@morgan/foundation';
import { cutDimensions, type EmbeddingInput, LocalEmbeddingModel, toBase64 } from '@morgan/local-embeddings';
import { DeadlinePolicy } from '@morgan/retry';
import type { EmbeddingsRequest } from './embeddings.schema.ts';

/** One vector in the answer. `truncated` stands only where a text was cut. */
interface EmbeddingObject {
  readonly object: 'embedding';
  readonly index: number;
  readonly embedding: readonly number[] | string;
  readonly truncated?: true;
}

/** OpenAI's answer to an embedding request. */
export interface EmbeddingsResponse {
  readonly object: 'list';
  readonly data: readonly EmbeddingObject[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** An answer and what the HTTP edge notes about it. */
export interface EmbeddingsOutcome {
  readonly response: EmbeddingsResponse;
  readonly cacheHits: number;
  readonly truncated: number;
}

/** Answers embedding requests: what is cached from the cache, the rest from the model, in the order of the inputs. */
@Injectable()
export class EmbeddingsService {
  readonly #deadline = new DeadlinePolicy();

  constructor(
    private readonly model: LocalEmbeddingModel,
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
    const asBase64 = request.encoding_format === 'base64';
    const data = items.map(({ vector, truncated }, index): EmbeddingObject => {
      const cut = dimensions === undefined ? vector : cutDimensions(vector, dimensions);
      const embedding = asBase64 ? toBase64(cut) : Array.from(cut);
      return { object: 'embedding', index, embedding, ...(truncated ? { truncated } : {}) };
    });
    const tokens = items.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    return {
      response: {
        object: 'list',
        data,
        model: this.model.id,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      },
      cacheHits,
      truncated: items.filter(({ truncated }) => truncated).length,
    };
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
    const keys = inputs.map((input) => embeddingKey(fingerprint, input));
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
      cacheHits: inputs.length - missing.size,
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
