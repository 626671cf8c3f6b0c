import { describe, expect, it } from '@jest/globals';
import { LengthFields } from './length-fields.ts';

const refusal = (message: string, status = 400) => ({
  status,
  whole: Buffer.from(JSON.stringify({ error: { message, type: 'invalid_request_error', code: null } })),
});
const UNSUPPORTED = refusal(
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
);

describe('what a model calls the longest answer', () => {
  it('is learned once, of each model', () => {
    const fields = new LengthFields();
    expect([fields.of('m'), fields.learn('m', UNSUPPORTED)]).toEqual(['max_tokens', true]);
    expect([fields.of('m'), fields.learn('m', UNSUPPORTED)]).toEqual(['max_completion_tokens', false]);
    expect([fields.of('n'), fields.of(undefined)]).toEqual(['max_tokens', 'max_tokens']);
  });

  it.each([
    ['another refusal', refusal('max_tokens must be at least 1, or set max_completion_tokens.')],
    ['another status', { ...UNSUPPORTED, status: 500 }],
    ['no JSON', { status: 400, whole: Buffer.from('max_tokens is not supported: max_completion_tokens') }],
    ['nothing', { status: 400, whole: undefined }],
  ])('is not learned from %s', (_, response) => {
    const fields = new LengthFields();
    expect([fields.learn('m', response), fields.of('m')]).toEqual([false, 'max_tokens']);
  });

  it('is known of the latest 1,000', () => {
    const fields = new LengthFields();
    for (let count = 0; count <= 1_000; count += 1) fields.learn(`m-${count}`, UNSUPPORTED);
    expect([fields.of('m-0'), fields.of('m-1')]).toEqual(['max_tokens', 'max_completion_tokens']);
  });
});
