import type { z } from 'zod';

/** What is wrong with a value, as zod is told it. */
export type Issue = z.core.$ZodRawIssue;

/** Finds the first fault of a list and looks no further: it has up to a million elements, and zod would collect an issue for every one. */
export function firstFault(
  list: readonly unknown[],
  check: (value: unknown) => Issue | undefined,
): Issue | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const fault = check(list[index]);
    if (fault) return { ...fault, path: [index, ...(fault.path ?? [])] };
  }
  return undefined;
}

/** What is wrong with a text: it is none, or an empty one. */
export function textFault(input: unknown): Issue | undefined {
  if (typeof input !== 'string') return wrongType(input, 'string');
  if (input.length > 0) return undefined;
  return { code: 'too_small', origin: 'string', minimum: 1, inclusive: true, input, path: [] };
}

export function wrongType(input: unknown, expected: 'string' | 'array' | 'int'): Issue {
  return { code: 'invalid_type', expected, input, path: [] };
}

export function emptyList(input: unknown): Issue {
  return { code: 'too_small', origin: 'array', minimum: 1, inclusive: true, input, path: [] };
}

export function longList(input: unknown, maximum: number): Issue {
  return { code: 'too_big', origin: 'array', maximum, inclusive: true, input, path: [] };
}
