import { describe, expect, it } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import { z } from 'zod';
import { bodyCheck } from './body-check.ts';

/** What becomes of a body: nothing, or the error's code and field. */
function checked(schema: z.ZodType, body: unknown): string {
  try {
    bodyCheck(schema)(body);
    return 'good';
  } catch (error) {
    const { code, param } = error as AppError;
    return `${code} ${param ?? '-'}`;
  }
}

const texts = z.looseObject({
  input: z.string().min(1),
  size: z.int().min(1).nullish(),
  kind: z.enum(['a', 'b']).optional(),
});

describe('the check of a body', () => {
  it.each([
    [{ input: 'x' }, 'good'],
    [{ input: 'x', size: null, kind: 'b', other: [1] }, 'good'],
    [{ size: 2 }, 'missing_required_parameter input'],
    [{ input: '' }, 'empty_string input'],
    [{ input: 'x', kind: 'c' }, 'invalid_value kind'],
    // Of two faults the one that the schema has first, wherever the body has it.
    [{ kind: 'c', size: 0, input: 'x' }, 'invalid_value size'],
    [[], 'missing_body -'],
    [null, 'missing_body -'],
    ['text', 'missing_body -'],
    [undefined, 'missing_body -'],
  ])('%j: %s', (body, outcome) => {
    expect(checked(texts, body)).toBe(outcome);
  });

  it('does not look at fields that are not there', () => {
    let looks = 0;
    const counted = z.unknown().check(() => void (looks += 1));
    const check = bodyCheck(z.looseObject({ one: counted, other: counted }));
    looks = 0;
    check({ one: 1, more: 2 });
    expect(looks).toBe(1);
  });

  it('leaves to the schema what is about more than one field', () => {
    const oneOf = z
      .looseObject({ a: z.unknown().optional(), b: z.unknown().optional() })
      .refine(({ a, b }) => a === undefined || b === undefined, { message: 'only one', path: ['b'] });
    expect(checked(oneOf, { a: 1, b: 2 })).toBe('invalid_value b');
    expect(checked(z.strictObject({ a: z.int() }), { a: 1, other: 2 })).toBe('invalid_value other');
    expect(checked(z.object({ a: z.int() }).catchall(z.string()), { a: 1, other: 2 })).toBe(
      'invalid_type other',
    );
    expect(checked(z.union([texts, z.string()]), { input: '' })).toBe('empty_string input');
  });
});
