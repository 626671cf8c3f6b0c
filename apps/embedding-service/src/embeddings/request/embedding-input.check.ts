import type { z } from 'zod';
import type { EmbeddingInput } from '../embedding-model.ts';
import { emptyList, firstFault, type Issue, longList, textFault, wrongType } from './first-fault.ts';

/** A text as Jina's clients send it, whose models read images too. */
interface TextObject {
  readonly text: string;
}

/** What `input` may be: a text, texts, the token ids of a text, or several such lists. */
export type EmbeddingInputs = string | (string | TextObject)[] | number[] | number[][];

/** Most inputs in one request, as OpenAI allows. */
export const MAX_INPUTS = 2048;

/** Finds the first fault of `input`. The first element says what a list is of. */
export function checkInput({ value, issues }: z.core.ParsePayload): void {
  const fault = faultOf(value);
  if (fault) issues.push(fault);
}

/** A lone list of numbers is one text's token ids; every other list is a list of inputs. */
export function listInputs(input: EmbeddingInputs): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  if (typeof input[0] === 'number') return [input as number[]];
  if (Array.isArray(input[0])) return input as number[][];
  return (input as (string | TextObject)[]).map((text) => (typeof text === 'string' ? text : text.text));
}

function faultOf(input: unknown): Issue | undefined {
  if (!Array.isArray(input)) return textFault(input);
  const list = input as unknown[];
  const [first] = list;
  if (list.length === 0) return emptyList(list);
  if (typeof first === 'number') return tokenIdsFault(list);
  if (list.length > MAX_INPUTS) return longList(list, MAX_INPUTS);
  return firstFault(list, Array.isArray(first) ? tokenListFault : listedTextFault);
}

function listedTextFault(value: unknown): Issue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return textFault(value);
  const { text, ...others } = value as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined)
    return { code: 'custom', message: 'is not served, only text', input: value, path: [other] };
  const fault = textFault(text);
  return fault && { ...fault, path: ['text'] };
}

function tokenListFault(value: unknown): Issue | undefined {
  return Array.isArray(value) ? tokenIdsFault(value as unknown[]) : wrongType(value, 'array');
}

function tokenIdsFault(list: readonly unknown[]): Issue | undefined {
  return list.length === 0 ? emptyList(list) : firstFault(list, tokenIdFault);
}

function tokenIdFault(value: unknown): Issue | undefined {
  if (!Number.isSafeInteger(value)) return wrongType(value, 'int');
  if ((value as number) >= 0) return undefined;
  return { code: 'too_small', origin: 'number', minimum: 0, inclusive: true, input: value, path: [] };
}
