import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readBodyFacts, withValues } from './body-facts.ts';

describe('readBodyFacts', () => {
  it('finds what JSON.parse finds, wherever it stands', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const body = fc.record({ model: fc.string(), before: value, after: value, stream: fc.boolean() });
    fc.assert(
      fc.property(body, fc.constantFrom(undefined, 1, '\t'), ({ model, before, after, stream }, indent) => {
        const bytes = Buffer.from(JSON.stringify({ before, model, after, stream }, null, indent));
        const facts = readBodyFacts(bytes);
        expect(facts).toMatchObject({ model, stream });
        const at = facts.modelAt as [number, number];
        const replaced = withValues(bytes, [[at, JSON.stringify('other "model"')]]);
        expect(JSON.parse(replaced.toString())).toEqual(
          JSON.parse(JSON.stringify({ before, model: 'other "model"', after, stream })),
        );
      }),
    );
  });

  it.each(['', '[]', 'null', '{', '{"model', '{"model":', '{"model":1}', '{"a":{"model":"x"}}', '\u0000'])(
    'finds no model in %j',
    (text) => expect(readBodyFacts(Buffer.from(text)).model).toBeUndefined(),
  );

  it.each([
    [{ type: 'image_url', image_url: { url: 'x' } }, true],
    [{ type: 'input_image', image_url: 'x' }, true],
    [{ type: 'image', source: { type: 'url', url: 'x' } }, true],
    [{ type: 'text', text: 'an "image", "type":"image"' }, false],
  ])('sees whether there is an image: %j', (part, vision) => {
    const body = { messages: [{ role: 'user', content: [part] }] };
    for (const indent of [undefined, 1])
      expect(readBodyFacts(Buffer.from(JSON.stringify(body, null, indent))).needs().vision).toBe(vision);
  });

  it('keeps the start of a conversation the same when it goes on', () => {
    const system = { role: 'system', content: 'be brief' };
    const turns = [system, { role: 'user', content: 'one' }, { role: 'assistant', content: 'two' }];
    const startOf = (messages: object[]) => readBodyFacts(Buffer.from(JSON.stringify({ messages }))).start;
    expect(startOf(turns.slice(0, 2))).toBe(startOf([...turns, { role: 'user', content: 'three' }]));
  });
});
