import type { Readable } from 'node:stream';
import { toBase64 } from '@morgan/local-embeddings';
import type { EmbeddedInput } from '../embedding-model.ts';
import { perSlice, slicedBytes, vectorListBody } from './sliced-body.ts';
import { type OutputShape, shapeVector } from './vector-output.ts';

/** What a response is made of. */
interface EmbeddingsResponseParts {
  readonly model: string;
  readonly items: readonly EmbeddedInput[];
  readonly shape: OutputShape;
  readonly encoding: 'float' | 'base64';
}

/** OpenAI's response to an embedding request, as JSON that is written slice by slice, or the bytes of its vectors alone. */
export class EmbeddingsResponse {
  readonly #parts: EmbeddingsResponseParts;

  constructor(parts: EmbeddingsResponseParts) {
    this.#parts = parts;
  }

  /** The JSON text. */
  body(): string | Readable {
    const { model, items, shape } = this.#parts;
    const tokens = items.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
    const name = JSON.stringify(model);
    return vectorListBody({
      begin: '{"object":"list","data":[',
      count: items.length,
      dimensions: shape.dimensions,
      write: (index) => this.#write(index),
      // Mistral's clients take no answer without an id. Equal requests keep equal answers: `x-request-id` names the request.
      end: `],"model":${name},"id":"embd-${name.slice(1)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`,
    });
  }

  /** The vectors one after the other, little-endian, nothing between them. */
  bytes(): Buffer | Readable {
    const { items, shape } = this.#parts;
    return slicedBytes(this.#byteSlices(), items.length <= perSlice(shape.dimensions));
  }

  *#byteSlices(): Generator<Buffer, void> {
    const { items, shape } = this.#parts;
    const size = perSlice(shape.dimensions);
    for (let start = 0; start < items.length; start += size) {
      const vectors = items.slice(start, start + size).map(({ vector }) => shapeVector(vector, shape));
      yield Buffer.concat(
        vectors.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
      );
    }
  }

  #write(index: number): string {
    const { items, shape, encoding } = this.#parts;
    const { vector, truncated } = items[index] as EmbeddedInput;
    const values = shapeVector(vector, shape);
    // By hand: base64 has nothing to be escaped, and looking for it would take longer than making it.
    const embedding = encoding === 'base64' ? `"${toBase64(values)}"` : JSON.stringify(Array.from(values));
    // Stands only where a text was cut.
    const cut = truncated ? ',"truncated":true' : '';
    return `{"object":"embedding","index":${index},"embedding":${embedding}${cut}}`;
  }
}
