import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cutDimensions, toBase64 } from '@morgan/local-embeddings';
import type { EmbeddedInput } from './embedding-model.ts';

/**
 * Values of vectors that are written at a time: about 5 ms of work, after which everybody else has a turn. 2,048 vectors of
 * 512 values at once would hold the event loop for a quarter of a second.
 */
const SLICE_VALUES = 16_384;

/** What an answer is made of. */
export interface AnswerParts {
  readonly model: string;
  readonly items: readonly EmbeddedInput[];
  /** Length of the vectors in the answer. */
  readonly dimensions: number;
  readonly encoding: 'float' | 'base64';
}

/** OpenAI's answer to an embedding request, as JSON that is written slice by slice. */
export class EmbeddingsAnswer {
  readonly count: number;
  /** Tokens that the model has read. */
  readonly tokens: number;
  /** Inputs that were cut to the limit of the model. */
  readonly truncated: number;
  readonly #parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
    this.count = parts.items.length;
    this.tokens = parts.items.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    this.truncated = parts.items.filter(({ truncated }) => truncated).length;
  }

  /** The JSON text: whole where it is short, else slice by slice, with a turn for everybody else between two of them. */
  body(): string | Readable {
    const perSlice = Math.max(1, Math.floor(SLICE_VALUES / this.#parts.dimensions));
    if (this.count <= perSlice) return [...this.#slices(perSlice)].join('');
    return Readable.from(inTurns(this.#slices(perSlice)));
  }

  *#slices(perSlice: number): Generator<string, void> {
    const { model, items } = this.#parts;
    yield '{"object":"list","data":[';
    for (let start = 0; start < items.length; start += perSlice) {
      const slice = items.slice(start, start + perSlice);
      const objects = slice.map((item, offset) => this.#write(item, start + offset));
      yield `${start > 0 ? ',' : ''}${objects.join(',')}`;
    }
    const usage = { prompt_tokens: this.tokens, total_tokens: this.tokens };
    yield `],"model":${JSON.stringify(model)},"usage":${JSON.stringify(usage)}}`;
  }

  #write({ vector, truncated }: EmbeddedInput, index: number): string {
    const { dimensions, encoding } = this.#parts;
    const cut = dimensions === vector.length ? vector : cutDimensions(vector, dimensions);
    return JSON.stringify({
      object: 'embedding',
      index,
      embedding: encoding === 'base64' ? toBase64(cut) : Array.from(cut),
      // Stands only where a text was cut.
      ...(truncated ? { truncated } : {}),
    });
  }
}

async function* inTurns(slices: Iterable<string>): AsyncGenerator<string, void> {
  for (const slice of slices) {
    yield slice;
    await nextTurn();
  }
}
