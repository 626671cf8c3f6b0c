import { describe, expect, it } from '@jest/globals';
import { AppError } from '@morgan/foundation';
import fc from 'fast-check';
import type { z } from 'zod';
import { scanned } from '../../fixture/scanned.ts';
import { chatCompletionSchema, completionSchema, embeddingSchema } from '../endpoints/openai.schemas.ts';
import { OUTLINE } from './outline.format.ts';
import { checkChatCompletion, checkCompletion, checkEmbedding, MAX_MODEL_LENGTH } from './request-checks.ts';
import type { RequestOutline } from './request-outline.ts';

type Check = (outline: RequestOutline | undefined) => void;

function fault(body: unknown, check: Check): AppError | undefined {
  try {
    check(scanned(JSON.stringify(body), OUTLINE) as RequestOutline);
    return undefined;
  } catch (error) {
    return error as AppError;
  }
}

/** As JSON can say them: it has no infinity. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const something = fc.oneof(
  fc.constantFrom(null, true, 0, '', {}, []),
  fc.string(),
  fc.integer(),
  number,
  fc.array(fc.oneof(fc.integer(), fc.string(), number, fc.constant(null)), {
    maxLength: 3,
  }),
  fc.array(fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant(1e300)), { maxLength: 2 }), {
    maxLength: 3,
  }),
  fc.array(
    fc.record({ role: fc.oneof(fc.constant('user'), fc.string(), fc.constant(7)) }, { requiredKeys: [] }),
    {
      maxLength: 3,
    },
  ),
);
const likely = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 5, arbitrary: value }, something);
const body = fc.record(
  {
    model: likely(fc.string({ minLength: 1, maxLength: 2 * MAX_MODEL_LENGTH, size: 'max' })),
    messages: likely(fc.array(fc.record({ role: fc.constant('user') }), { minLength: 1, maxLength: 2 })),
    prompt: something,
    input: something,
    stream: likely(fc.option(fc.boolean())),
  },
  { requiredKeys: [] },
);

describe('the check of a request', () => {
  it.each([
    ['chat completions', chatCompletionSchema, checkChatCompletion],
    ['completions', completionSchema, checkCompletion],
    ['embeddings', embeddingSchema, checkEmbedding],
  ] as [string, z.ZodType, Check][])('says of %s what the documented schema says', (_, schema, check) => {
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: body }, something), (value) => {
        const [issue] = schema.safeParse(value).error?.issues ?? [];
        const found = fault(value, check);
        expect(found === undefined).toBe(issue === undefined);
        if (!issue || !found) return;
        if (issue.path.length === 0) expect(found.code).toBe('missing_body');
        else expect(found.param?.split(/[.[]/)[0]).toBe(issue.path[0]);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [{ messages: [{ role: 'user' }, 0, 0] }, 'invalid_type', 'messages[1]'],
    [{ messages: [{ role: 'user' }, []] }, 'invalid_type', 'messages[1]'],
    [{ messages: [{ content: 'x' }] }, 'missing_required_parameter', 'messages[0].role'],
    [{ messages: [{ role: null }] }, 'invalid_type', 'messages[0].role'],
    [{ messages: [{ role: ['user'] }] }, 'invalid_type', 'messages[0].role'],
    [{ messages: [{ role: '' }] }, 'empty_string', 'messages[0].role'],
    [{ messages: [] }, 'empty_array', 'messages'],
    [{ messages: {} }, 'invalid_type', 'messages'],
    [{}, 'missing_required_parameter', 'messages'],
    [{ model: '', messages: 0 }, 'empty_string', 'model'],
    [{ model: 'x'.repeat(257) }, 'invalid_value', 'model'],
    [{ model: 'x'.repeat(9999) }, 'invalid_value', 'model'],
    [{ model: null }, 'invalid_type', 'model'],
    [{ messages: [{ role: 'user' }], stream: 1 }, 'invalid_type', 'stream'],
  ])('of chat completions names the field: %j', (fields, code, param) => {
    expect(fault({ model: 'm', ...fields }, checkChatCompletion)).toMatchObject({ code, param });
  });

  it.each([
    ['a', undefined, undefined],
    [[1, 2], undefined, undefined],
    [[[1], []], undefined, undefined],
    [['a', 1], 'invalid_type', 'prompt[1]'],
    [[1, 1.5], 'invalid_type', 'prompt[1]'],
    [[[1], [2, 'x']], 'invalid_type', 'prompt[1][1]'],
    [[{}], 'invalid_type', 'prompt[0]'],
    [[], 'empty_array', 'prompt'],
    [7, 'invalid_type', 'prompt'],
  ])('of completions names the element: %j', (prompt, code, param) => {
    const found = fault({ model: 'm', prompt }, checkCompletion);
    expect([found?.code, found?.param]).toEqual([code, param]);
  });

  it('needs an object', () => {
    for (const check of [checkChatCompletion, checkCompletion, checkEmbedding] as Check[]) {
      expect(() => check(undefined)).toThrow(AppError);
      expect(fault([], check)?.code).toBe('missing_body');
    }
  });
});
