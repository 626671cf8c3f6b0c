import { AppError, isObject, type JsonObject } from '@morgan/foundation';
import { errorIn } from '@morgan/host-errors';
import type { WholeResponse } from '@morgan/http-client';
import { errorNameOf, jsonOf } from './remote-refusal.ts';

/** An object with values that JSON does not have, and some writers of it do. */
const NUMBERS_OF_PYTHON = /^\s*\{[^]*[[,:]\s*-?(NaN|Infinity)\s*[\],}]/;

const NO_NUMBERS = 'a vector that is no list of numbers';

/** What a host gave for a batch. */
export interface RemoteVectors {
  readonly vectors: readonly Float32Array[];
  /** What the host calls the model, where it says it. */
  readonly model?: string | undefined;
  /** Of the whole batch; 0 where the host does not say. */
  readonly tokens: number;
}

/**
 * Takes a host's response apart. Nothing of it is believed: as many vectors as inputs, each once, of the declared length,
 * every value a finite number, not all of them 0, which hosts in trouble give with a 200.
 * @throws AppError `host_error`, `vector_not_finite`
 */
export function readRemoteResponse(
  response: WholeResponse,
  count: number,
  dimensions: number,
): RemoteVectors {
  // Mostly a base URL that has `http:` or a path of old; where it leads to is not followed, as keys would go along. With its
  // status as the cause it is not asked for again: it would be the same.
  const { status } = response;
  if (status >= 300)
    throw unusable(`a redirect (${status}), which its base URL should be free of`, { status });
  const body = jsonOf(response);
  if (body === undefined)
    throw NUMBERS_OF_PYTHON.test(response.text()) ? notFinite() : unusable('something else than JSON');
  const fields = fieldsOf(body);
  const { data, usage, model, error } = fields;
  if (!data && error)
    throw unusable(['an error', errorNameOf(errorIn(fields))].filter(Boolean).join(' called '));
  if (!Array.isArray(data) || data.length !== count)
    throw unusable(`not one vector for each of ${count} inputs`);
  const vectors = new Array<Float32Array | undefined>(count).fill(undefined);
  (data as unknown[]).forEach((element, place) => {
    const { index: given, embedding } = fieldsOf(element);
    const index = given ?? place;
    if (typeof index !== 'number' || !(index in vectors)) throw unusable('a vector with a wrong index');
    if (vectors[index]) throw unusable('two vectors for one input');
    vectors[index] = vectorOf(embedding, dimensions);
  });
  // Voyage and Jina say only how many there were in total, and others have a null or 0 beside that.
  const { total_tokens: total, prompt_tokens: ofPrompt } = fieldsOf(usage);
  const tokens = ofPrompt || total;
  return {
    vectors: vectors as Float32Array[],
    model: typeof model === 'string' ? model : undefined,
    tokens: Number.isSafeInteger(tokens) ? Math.max(0, tokens as number) : 0,
  };
}

function vectorOf(embedding: unknown, dimensions: number): Float32Array {
  const list = typeof embedding === 'string' ? fromBase64(embedding) : embedding;
  if (!Array.isArray(list)) throw unusable(NO_NUMBERS);
  const values = list as unknown[];
  if (values.length !== dimensions)
    throw unusable(`a vector of ${values.length} values, where ${dimensions} are declared`);
  const vector = new Float32Array(dimensions);
  for (let index = 0; index < dimensions; index += 1) {
    const value = values[index];
    // What writers of JSON make of NaN; anything else says nothing of the input.
    if (typeof value !== 'number' && value !== null) throw unusable(NO_NUMBERS);
    vector[index] = value ?? Number.NaN;
    if (!Number.isFinite(vector[index]))
      throw new AppError('vector_not_finite', `Value ${index} of a vector of the host is no finite number.`);
  }
  if (vector.every((value) => value === 0)) throw unusable('a vector of zeros');
  return vector;
}

/**
 * Some hosts give the bytes of the values, little-endian, whatever they are asked for. Node passes over what is no base64, so that its
 * length tells.
 */
function fromBase64(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = [Math.ceil((bytes.length * 4) / 3), Math.ceil(bytes.length / 3) * 4].includes(text.length);
  if (!isBase64 || bytes.length % 4 !== 0) throw unusable('a text that is no vector in base64');
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}

/** A host has said that it has no numbers for one of the inputs. */
export function notFinite(): AppError {
  return new AppError('vector_not_finite', 'A vector of the host has values that are no finite numbers.');
}

function unusable(what: string, cause?: { readonly status: number }): AppError {
  return new AppError('host_error', `The embedding host gave ${what}.`, { cause });
}

/** The fields of an object; none of anything else. */
function fieldsOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
