import type { Readable } from 'node:stream';
import { toBase64 } from '@morgan/local-embeddings';
import { listSlices, perSlice, slicedBody } from '../embeddings/response/sliced-body.ts';
import { shapeVector } from '../embeddings/response/vector-output.ts';
import type { CohereType } from './cohere.schema.ts';

/** What a response is made of. */
interface CohereResponseParts {
  readonly version: '1' | '2';
  readonly id: string;
  readonly vectors: readonly Float32Array[];
  /** None: one list of `float` vectors, as the first version has it for who names no types. */
  readonly types?: readonly CohereType[] | undefined;
  readonly dimensions: number;
  /** Given back. */
  readonly texts: readonly string[];
  readonly tokens: number;
}

/** Cohere's response: a list of vectors for each type, as JSON that is written slice by slice. */
export function cohereResponse(parts: CohereResponseParts): string | Readable {
  const { vectors, types, dimensions } = parts;
  return slicedBody(slicesOf(parts), vectors.length * (types?.length ?? 1) <= perSlice(dimensions));
}

function* slicesOf(parts: CohereResponseParts): Generator<string, void> {
  const { version, id, types, texts, tokens } = parts;
  const kind = types ? 'embeddings_by_type' : 'embeddings_floats';
  yield `{"id":${JSON.stringify(id)},"response_type":"${kind}","embeddings":`;
  if (types) yield* typedSlices(parts, types);
  else yield* vectorSlices(parts, 'float');
  for (const [index, text] of texts.entries())
    yield `${index > 0 ? ',' : ',"texts":['}${JSON.stringify(text)}`;
  const meta = { api_version: { version }, billed_units: { input_tokens: tokens } };
  yield `],"meta":${JSON.stringify(meta)}}`;
}

function* typedSlices(parts: CohereResponseParts, types: readonly CohereType[]): Generator<string, void> {
  for (const [place, type] of [...new Set(types)].entries()) {
    yield `${place > 0 ? ',' : '{'}"${type}":`;
    yield* vectorSlices(parts, type);
  }
  yield '}';
}

function* vectorSlices(
  { vectors, dimensions }: CohereResponseParts,
  type: CohereType,
): Generator<string, void> {
  yield '[';
  yield* listSlices(vectors.length, dimensions, (index) =>
    write(vectors[index] as Float32Array, type, dimensions),
  );
  yield ']';
}

function write(vector: Float32Array, type: CohereType, dimensions: number): string {
  const values = shapeVector(vector, { type: type === 'base64' ? 'float' : type, dimensions });
  return JSON.stringify(type === 'base64' ? toBase64(values) : Array.from(values));
}
