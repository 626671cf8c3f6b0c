import { describe, expect, it } from '@jest/globals';
import { promptTokensOf } from './prompt-tokens.ts';

const DATA = 'A'.repeat(400_000);
const bodyOf = (content: unknown) =>
  Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));

describe('the estimate of a prompt', () => {
  it('is a quarter of its bytes', () => {
    expect(promptTokensOf(Buffer.from('{"a":"b"}'))).toBe(3);
    const long = bodyOf('x'.repeat(400_000));
    expect(promptTokensOf(long)).toBe(Math.ceil(long.length / 4));
  });

  it.each([
    ['an image of OpenAI', { type: 'image_url', image_url: { url: `data:image/png;base64,${DATA}` } }],
    ['sound of OpenAI', { type: 'input_audio', input_audio: { data: DATA, format: 'wav' } }],
    ['a file of OpenAI', { type: 'file', file: { file_data: `data:application/pdf;base64,${DATA}` } }],
    [
      'an image of Anthropic',
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: DATA } },
    ],
    ['a data URL in a field of data', { type: 'image', data: `data:image/png;base64,${DATA}` }],
  ])('has nothing of the bytes of %s', (_, part) => {
    for (const parts of [1, 3]) {
      const tokens = promptTokensOf(
        bodyOf([{ type: 'text', text: 'What is it?' }, ...Array<unknown>(parts).fill(part)]),
      );
      expect(tokens).toBeGreaterThan(parts * 1_000);
      expect(tokens).toBeLessThan(parts * 1_000 + 200);
    }
    const spaced = JSON.stringify([part]).replace('"data":"', '"data": "');
    expect(promptTokensOf(Buffer.from(spaced))).toBeLessThan(1_200);
  });

  it('counts short data, text that speaks of data, and what has no end as text', () => {
    for (const text of [`;base64,${'A'.repeat(4_000)}`, `"data":"${DATA}`, `x;base64 ${DATA}`]) {
      const body = bodyOf(text);
      expect(promptTokensOf(body)).toBe(Math.ceil(body.length / 4));
    }
    const endless = Buffer.from(`{"url":"data:image/png;base64,${DATA}`);
    expect(promptTokensOf(endless)).toBe(Math.ceil(endless.length / 4));
  });

  it('is above nothing, whatever the marks say', () => {
    const data = `;base64,${DATA}`;
    expect(promptTokensOf(Buffer.from(JSON.stringify({ data })))).toBeGreaterThan(0);
  });
});
