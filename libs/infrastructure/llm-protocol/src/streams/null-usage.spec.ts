import { describe, expect, it } from '@jest/globals';
import { withoutNullUsage } from './null-usage.ts';

const without = (text: string) => withoutNullUsage(Buffer.from(text)).toString();
const HEAD = 'data: {"choices":[{"index":0,"delta":{"content":"é"}}]';

describe('an event of a host that was asked for token counts', () => {
  it.each([
    ['as OpenAI writes it', `${HEAD},"usage":null}\n\n`, `${HEAD}}\n\n`],
    ['with spaces, as Python does', `${HEAD}, "usage": null}\r\n\r\n`, `${HEAD}}\r\n\r\n`],
    [
      'in front of padding',
      `${HEAD},"usage":null,"obfuscation":"aB3-_"}\n\n`,
      `${HEAD},"obfuscation":"aB3-_"}\n\n`,
    ],
  ])('has no usage that is null: %s', (_, given, expected) => {
    expect(without(given)).toBe(expected);
    expect(JSON.parse(without(given).slice('data: '.length))).not.toHaveProperty('usage');
  });

  it.each([
    ['counts', `${HEAD},"usage":{"prompt_tokens":1}}\n\n`],
    ['another null', `${HEAD},"system_fingerprint":null}\n\n`],
    ['a name that only ends so', `${HEAD},"my_usage":null}\n\n`],
    ['a usage of a choice', 'data: {"choices":[{"delta":{},"usage":null}]}\n\n'],
    ['a text that speaks of it', 'data: {"choices":[],"x":",\\"usage\\":null"}\n\n'],
    ['no JSON', 'data: [DONE]\n\n'],
    ['a comment', ': x\n\n'],
    ['nothing', ''],
  ])('is otherwise as it came: %s', (_, given) => {
    const raw = Buffer.from(given);
    expect(withoutNullUsage(raw)).toBe(raw);
  });
});
