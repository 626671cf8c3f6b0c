import type { z } from 'zod';
import { MAX_INPUTS } from './embedding-input.check.ts';
import { emptyList, firstFault, type Issue, longList, textFault, wrongType } from './first-fault.ts';

type Payload = z.core.ParsePayload;
/** The check of a list of texts. One place of a request is kept for the text beside them. */
export function checkTexts({ value, issues }: Payload): void {
  const fault = listFault(value, MAX_INPUTS - 1, textFault);
  if (fault) issues.push(fault);
}

/** The check of one text, or a list of texts. */
export function checkTextOrTexts(payload: Payload): void {
  if (Array.isArray(payload.value)) return checkTexts(payload);
  const fault = textFault(payload.value);
  if (fault) payload.issues.push(fault);
}

/** The same, where a text may stand in an object's `text`. */
export function checkDocuments({ value, issues }: Payload): void {
  const fault = listFault(value, MAX_INPUTS - 1, (document) => {
    if (typeof document !== 'object' || document === null) return textFault(document);
    const inner = textFault((document as { text?: unknown }).text);
    return inner && { ...inner, path: ['text'] };
  });
  if (fault) issues.push(fault);
}

/** The check of a list of pairs of texts. */
export function checkPairs({ value, issues }: Payload): void {
  const fault = listFault(value, MAX_INPUTS / 2, (pair) => {
    if (!Array.isArray(pair) || pair.length === 2) return listFault(pair, 2, textFault);
    return { code: 'custom', message: 'must hold two texts', input: pair, path: [] };
  });
  if (fault) issues.push(fault);
}

/** The check of a list of some of `values`. */
export function checkChoice(values: readonly string[]): (payload: Payload) => void {
  return ({ value, issues }) => {
    const fault = listFault(value, values.length, (element) =>
      values.includes(element as string)
        ? undefined
        : { code: 'invalid_value', values: [...values], input: element, path: [] },
    );
    if (fault) issues.push(fault);
  };
}

function listFault(
  input: unknown,
  maximum: number,
  check: (value: unknown) => Issue | undefined,
): Issue | undefined {
  if (!Array.isArray(input)) return wrongType(input, 'array');
  const list = input as unknown[];
  if (list.length === 0) return emptyList(list);
  return list.length > maximum ? longList(list, maximum) : firstFault(list, check);
}
