import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { MAX_INPUTS } from './embedding-input.check.ts';
import { embeddingsRequestSchema } from './embeddings.schema.ts';

const text = z.string().min(1);
const tokenIds = z.array(z.int().min(0)).min(1);
const listed = z.union([text, z.strictObject({ text })]);
/** What `input` is by OpenAI's description, as zod would check it with one issue for every element. */
const reference = z.union([
  text,
  z.array(listed).min(1).max(MAX_INPUTS),
  tokenIds,
  z.array(tokenIds).min(1).max(MAX_INPUTS),
]);

const issuesOf = (input: unknown) =>
  embeddingsRequestSchema.safeParse({ model: 'default', input }).error?.issues ?? [];

describe("the input's check", () => {
  it('takes what the description of the input takes', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.nat(),
      fc.double(),
      fc.constantFrom(null, true, 1e300),
    );
    const list = fc.oneof(
      fc.array(fc.string({ minLength: 1 })),
      fc.array(fc.nat()),
      fc.array(scalar),
      fc.array(fc.record({ text: fc.oneof(fc.string(), scalar) })),
      fc.array(fc.oneof(fc.string(), fc.dictionary(fc.constantFrom('text', 'image'), fc.string()))),
      fc.array(fc.array(fc.nat(), { maxLength: 3 })),
      fc.array(fc.array(scalar, { maxLength: 3 })),
    );
    fc.assert(
      fc.property(fc.oneof(scalar, list, fc.constant({})), (input) => {
        expect(issuesOf(input).length === 0).toBe(reference.safeParse(input).success);
      }),
      { numRuns: 1000 },
    );
  });

  it('finds one fault, however many there are', () => {
    for (const faulty of ['', 0.5, null, []]) {
      const issues = issuesOf([...(faulty === 0.5 ? [1] : ['a']), ...new Array<unknown>(1000).fill(faulty)]);
      expect(issues.map(({ path }) => path)).toEqual([['input', 1]]);
    }
    expect(issuesOf(new Array(MAX_INPUTS + 1).fill(''))).toMatchObject([
      { code: 'too_big', path: ['input'] },
    ]);
    expect(issuesOf(['a', { text: 'b', image: 'c' }, null])).toMatchObject([{ path: ['input', 1, 'image'] }]);
    expect(issuesOf([{ text: 'a' }, { text: '' }])).toMatchObject([{ path: ['input', 1, 'text'] }]);
    expect(issuesOf([[1], [2, -1, -1]])).toMatchObject([{ code: 'too_small', path: ['input', 1, 1] }]);
  });
});
