import type { Readable } from 'node:stream';
import { toBase64 } from '@morgan/local-embeddings';
import { listSlices, perSlice, slicedBody } from '../embeddings/sliced-body.ts';
import { shapeVector } from '../embeddings/vector-output.ts';
import type { CohereType } from './cohere.schema.ts';

/** What a response is made of. */
export interface CohereResponseParts {
  readonly id: string;
  readonly vectors: readonly Float32Array[];
  readonly types: readonly CohereType[];
  readonly dimensions: number;
  readonly tokens: number;
}

/** Cohere's response: a list of vectors for each type, as JSON that is written slice by slice. */
export function cohereResponse(parts: CohereResponseParts): string | Readable {
  const { vectors, types, dimensions } = parts;
  return slicedBody(slicesOf(parts), vectors.length * types.length <= perSlice(dimensions));
}

function* slicesOf({ id, vectors, types, dimensions, tokens }: CohereResponseParts): Generator<string, void> {
  yield `{"id":${JSON.stringify(id)},"response_type":"embeddings_by_type","embeddings":{`;
  for (const [place, type] of [...new Set(types)].entries()) {
    yield `${place > 0 ? ',' : ''}"${type}":[`;
    yield* listSlices(vectors.length, dimensions, (index) =>
      write(vectors[index] as Float32Array, type, dimensions),
    );
    yield ']';
  }
  const meta = { api_version: { version: '2' }, billed_units: { input_tokens: tokens } };
  yield `},"meta":${JSON.stringify(meta)}}`;
}

function write(vector: Float32Array, type: CohereType, dimensions: number): string {
  const values = shapeVector(vector, { type: type === 'base64' ? 'float' : type, dimensions });
  return JSON.stringify(type === 'base64' ? toBase64(values) : Array.from(values));
}
