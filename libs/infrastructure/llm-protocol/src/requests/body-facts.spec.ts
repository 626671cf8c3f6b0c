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

  describe('the start of a conversation', () => {
    const startOf = (messages: object[]) => readBodyFacts(Buffer.from(JSON.stringify({ messages }))).start;
    const system = { role: 'system', content: 'Be brief. '.repeat(10_000) };
    const asked = (content: unknown) => [system, { role: 'user', content }];
    const later = [
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ];

    it.each([
      ['short', [{ role: 'user', content: 'one' }]],
      ['behind a long system prompt', asked('one')],
      ['long', asked('x'.repeat(10_000))],
      ['with the role behind what is said', [{ content: 'x'.repeat(10_000), role: 'user' }]],
    ])('stays the same when it goes on: %s', (_, messages) => {
      expect(startOf([...messages, ...later])).toBe(startOf(messages));
    });

    it('stays the same when a client moves its cache hints', () => {
      const block = { type: 'text', text: 'x'.repeat(10_000) };
      const hinted = { ...block, cache_control: { type: 'ephemeral', ttl: '1h' } };
      expect(startOf([...asked([block]), ...later])).toBe(startOf(asked([hinted])));
    });

    it('is another one where the user asks something else, behind one long system prompt', () => {
      expect(startOf(asked('one'))).not.toBe(startOf(asked('two')));
      const reminded = (question: string) => asked(`${'A reminder. '.repeat(1_000)}${question}`);
      expect(startOf(reminded('one'))).not.toBe(startOf(reminded('two')));
    });

    it('is never long', () => {
      expect(startOf(asked('x'.repeat(1_000_000))).length).toBeLessThanOrEqual(2_048);
    });
  });
});
