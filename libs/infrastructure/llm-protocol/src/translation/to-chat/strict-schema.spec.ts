import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { toChatRequest } from './chat-request.ts';

const ASKED = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };

describe('a schema of an answer or of a tool', () => {
  const STRICT = { type: 'object', properties: { a: {} }, required: ['a'], additionalProperties: false };
  it.each<[JsonObject, boolean]>([
    [STRICT, true],
    [{ ...STRICT, properties: { a: { anyOf: [{ type: 'null' }, { type: 'array', items: STRICT }] } } }, true],
    [{ ...STRICT, properties: { a: {}, b: {} } }, false],
    [{ ...STRICT, properties: { a: { type: 'array', items: { ...STRICT, required: [] } } } }, false],
    [{ ...STRICT, $defs: { type: { ...STRICT, additionalProperties: true } } }, false],
    [{ type: 'object' }, false],
  ])('is called strict where OpenAI takes it so: %j', (schema, strict) => {
    const format = { type: 'json_schema', schema };
    for (const fields of [{ output_config: { format } }, { output_format: format }])
      expect(toChatRequest({ ...ASKED, ...fields })['response_format']).toEqual({
        type: 'json_schema',
        json_schema: { name: 'output', schema, strict },
      });
    const tools = [{ name: 'f', input_schema: schema, strict: true }];
    expect(toChatRequest({ ...ASKED, tools })).toMatchObject({ tools: [{ function: { strict } }] });
  });
});
