import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { chatTools } from './chat-tools.ts';

describe('examples of the input of a tool', () => {
  const described = (tool: JsonObject) => {
    const { tools } = chatTools([{ name: 'f', ...tool }], undefined) as { tools: { function: JsonObject }[] };
    return tools[0]?.function['description'];
  };
  const examples = [{ a: 1 }, { a: 2, b: ['x'] }];

  it('stand behind its description', () => {
    const told = 'Examples of its input:\n{"a":1}\n{"a":2,"b":["x"]}';
    expect(described({ input_examples: examples })).toBe(told);
    expect(described({ input_examples: examples, description: 'Adds.' })).toBe(`Adds.\n\n${told}`);
    expect(described({ input_examples: [], description: 'Adds.' })).toBe('Adds.');
  });

  it.each([
    ['input_examples', { input_examples: 'x' }],
    ['description', { input_examples: examples, description: 1 }],
  ])('are refused where they are none: %s', (field, tool) => {
    expect(() => described(tool)).toThrow(expect.objectContaining({ param: `tools[0].${field}` }));
  });
});
