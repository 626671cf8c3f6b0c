import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBodyFacts } from '@morgan/llm-protocol';
import { OUTLINE } from './outline.format.ts';
import type { RequestOutline } from './request-outline.ts';
import { scanned } from '../../fixture/scanned.ts';

const outlineOf = (body: string | object, ...cuts: number[]) =>
  scanned(typeof body === 'string' ? body : JSON.stringify(body), OUTLINE, cuts) as RequestOutline;

describe('the outline of a request', () => {
  it.each([
    [{ response_format: { type: 'json_object' } }, true],
    [{ guided_json: {} }, true],
    [{ structured_outputs: { regex: 'x' } }, true],
    [{ output_config: { format: {} } }, true],
    [{ output_format: { type: 'json_schema' } }, true],
    [{ response_format: 'text' }, true],
    [{ response_format: { type: 'text', more: 'x'.repeat(5_000) } }, true],
    [{ response_format: { type: 'text' } }, false],
    [{ output_config: { effort: 'high' } }, false],
    [{ output_config: { effort: 'high', format: null } }, false],
    [{ response_format: null, grammar: null }, false],
    [{ tools: [] }, false],
  ])('knows whether the answer has to have a form: %j', (fields, isStructured) => {
    expect(outlineOf({ model: 'm', ...fields }).isStructured).toBe(isStructured);
  });

  it('has what routing needs to know', () => {
    const outline = outlineOf({
      model: 'llama',
      stream: true,
      user: 'u-1',
      prompt_cache_key: 'k',
      max_tokens: 17,
      response_format: { type: 'json_object' },
      tools: null,
      messages: [{ role: 'user', content: 'hello' }],
    });
    expect([outline.model, outline.stream, outline.textOf('user')]).toEqual(['llama', true, 'u-1']);
    expect([outline.textOf('prompt_cache_key'), outline.numberOf('max_tokens')]).toEqual(['k', 17]);
    expect([outline.has('response_format'), outline.has('tools')]).toEqual([true, false]);
    expect(outline.parts.messages?.count).toBe(1);
  });

  it('says where the value of a field stands, so that it can be replaced', () => {
    const body = '{"a":"model" , "model" : "é\\n", "tools":[{"model":"inner"}] }';
    const outline = outlineOf(body);
    const { start, end } = outline.spanOf('model') ?? { start: 0, end: 0 };
    const bytes = Buffer.from(body);
    const replaced = Buffer.concat([bytes.subarray(0, start), Buffer.from('other'), bytes.subarray(end)]);
    expect(JSON.parse(replaced.toString())).toEqual({ ...(JSON.parse(body) as object), model: 'other' });
    const tools = outline.spanOf('tools') ?? { start: 0, end: 0 };
    expect(bytes.subarray(tools.start, tools.end).toString()).toBe('[{"model":"inner"}]');
  });

  it('takes the last of fields that come twice, as JSON.parse does', () => {
    const body =
      '{"model":"a","messages":[{"role":"x","role":"user","content":"one","content":"two"}],"model":"b","stream":true,"stream":null}';
    const outline = outlineOf(body);
    expect([outline.model, outline.stream, outline.parts.messages?.fault]).toEqual(['b', false, undefined]);
    expect(outlineOf('{"messages":[{"role":"user"}],"messages":7}').parts.messages).toBeUndefined();
    expect(outlineOf('{"messages":7,"messages":[{"role":"user"}]}').parts.messages?.count).toBe(1);
  });

  it.each([
    ['{"model":"a","model":"b"}', 'model'],
    ['{"model":"a","mo\\u0064el":"b"}', 'model'],
    ['{"model":"a","Model":"b"}', 'model'],
    ['{"STREAM":true}', 'stream'],
    ['{"ſtream":true}', 'stream'],
    ['{"Previous_Response_ID":"resp_1"}', 'previous_response_id'],
    ['{"tools":[],"tools":[]}', 'tools'],
    [
      '{"x":1,"x":2,"N":1,"User":"u","messages":[{"role":"a","role":"b"}],"a":{"model":1,"Model":2}}',
      undefined,
    ],
  ])('knows of a field that hosts may take in two ways: %s', (body, field) => {
    expect(outlineOf(body).parts.ambiguous).toBe(field);
  });

  it('knows fields by their names, however those are written, and only at the top', () => {
    expect(outlineOf('{"mo\\u0064el":"x"}').model).toBe('x');
    expect(outlineOf('{"a":{"model":"x"},"b":[{"model":"y"}]}').model).toBeUndefined();
    expect(outlineOf('[{"model":"x"}]').model).toBeUndefined();
    expect(outlineOf('"model"').parts.isObject).toBe(false);
  });

  it('has what routing asks of a body, as a scan of its own would find it', () => {
    const spelled = fc.constantFrom(
      'model',
      'mod\\u0065l',
      'stream',
      'messages',
      'prompt_cache_key',
      'user',
      'tools',
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('llama', 'a\n"b"', true, [{ role: 'user' }]),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(spelled, value)), (pairs) => {
        const text = `{${pairs.map(([name, each]) => `"${name}": ${JSON.stringify(each)}`).join(' , ')} }`;
        const { facts } = outlineOf(text);
        const own = readBodyFacts(Buffer.from(text));
        for (const name of [
          'model',
          'modelAt',
          'stream',
          'promptCacheKey',
          'user',
          'start',
          'promptTokens',
        ] as const)
          expect(facts[name]).toEqual(own[name]);
        expect(facts.needs()).toEqual(own.needs());
      }),
    );
  });

  it('has what a body holds, as a search of all of it would find it', () => {
    const data = 'A'.repeat(8_000);
    const part = fc.constantFrom<object>(
      { type: 'text', text: data },
      { type: 'text', text: `See data:image/png;base64,${data}` },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
      { type: 'input_audio', input_audio: { data, format: 'wav' } },
      { type: 'input_image', image_url: 'https://example.com/cat.png' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data } },
      { type: 'document', source: { data: `data:application/pdf;base64,${data}` } },
      { type: 'image', source: { type: 'base64', data: data.slice(1) } },
      { type: 'text', text: 'an image', data: ['image', data] },
    );
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom(undefined, 2), (content, indent) => {
        const body = { model: 'm', messages: [{ role: 'user', content }] };
        const text = JSON.stringify(body, null, indent);
        const { facts } = outlineOf(text);
        const own = readBodyFacts(Buffer.from(text));
        expect(facts.promptTokens).toBe(own.promptTokens);
        expect(facts.needs()).toEqual(own.needs());
      }),
    );
  });

  it('is the same wherever the body was cut', () => {
    const field = fc.constantFrom('model', 'stream', 'messages', 'prompt', 'user', 'other');
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.integer(),
      fc.array(fc.record({ role: fc.constantFrom('user', 'system', ''), content: fc.string() }), {
        maxLength: 3,
      }),
      fc.array(fc.oneof(fc.integer(), fc.string(), fc.array(fc.integer()))),
    );
    const seen = (outline: RequestOutline) => [
      outline.model,
      outline.stream,
      outline.textOf('user'),
      outline.parts.messages?.fault?.message,
      outline.parts.prompt?.fault?.message,
      outline.parts.fields,
    ];
    fc.assert(
      fc.property(fc.dictionary(field, value), fc.nat(), (body, at) => {
        const { length } = Buffer.from(JSON.stringify(body));
        expect(seen(outlineOf(body, at % (length + 1)))).toEqual(seen(outlineOf(body)));
      }),
    );
  });
});
