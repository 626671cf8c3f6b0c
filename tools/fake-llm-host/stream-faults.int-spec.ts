import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { type FakeLlmHost, startFakeLlmHost } from './fake-llm-host.ts';
import type { StreamFault } from './fault.ts';

let host: FakeLlmHost;

beforeEach(async () => {
  host = await startFakeLlmHost({ answer: 'a b c d e f g h i j' });
});

afterEach(() => host.close());

/** Every byte of the answer until its connection closes, and how that was. */
function ask(
  path: string,
  fields: object,
): Promise<{ text: string; error: string | undefined; whole: boolean }> {
  const { port, hostname } = new URL(host.url);
  const payload = JSON.stringify({
    model: 'simulated',
    messages: [{ role: 'user', content: 'x' }],
    input: 'x',
    ...fields,
  });
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let [text, error] = ['', undefined as string | undefined];
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (isWhole(text)) socket.end();
    });
    socket.on('error', (failure: NodeJS.ErrnoException) => (error = failure.code));
    socket.on('close', () => resolve({ text, error, whole: isWhole(text) }));
    const head = `POST /v1/${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${payload.length}\r\n\r\n`;
    socket.write(head + payload);
  });
}

function isWhole(text: string): boolean {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const length = /content-length: (\d+)/.exec(head)?.[1];
  return text.endsWith('0\r\n\r\n') || (length !== undefined && body.length === Number(length));
}

const wordsIn = (text: string) => [...text.matchAll(/"content":" ?([a-j])"/g)].length;
const stream = (fault: StreamFault) =>
  host.setFault(fault).then(() => ask('chat/completions', { stream: true }));

describe('a stream with a fault', () => {
  it('is reset', async () => {
    const { text, error } = await stream({ kind: 'reset-in-stream', afterChunks: 4 });
    expect([wordsIn(text), error]).toEqual([3, 'ECONNRESET']);
  });

  it('ends too early, but cleanly', async () => {
    const { text, error, whole } = await stream({ kind: 'end-in-stream', afterChunks: 4 });
    expect([wordsIn(text), error, whole]).toEqual([3, undefined, true]);
    expect(text).not.toContain('[DONE]');
  });

  it('ends without framing, by closing or by a reset', async () => {
    const end = await stream({ kind: 'end-in-stream', afterChunks: 4, closeDelimited: true });
    expect([wordsIn(end.text), end.error, end.whole]).toEqual([3, undefined, false]);
    expect(end.text).not.toContain('transfer-encoding');
    const reset = await stream({ kind: 'reset-in-stream', afterChunks: 4, closeDelimited: true });
    expect(reset.error).toBe('ECONNRESET');
  });

  it('reports an error in the words of its API, and ends', async () => {
    await host.setFault({ kind: 'error-in-stream', afterChunks: 4 });
    expect((await ask('chat/completions', { stream: true })).text).toMatch(
      /data: \{"error":\{"message":"The simul/,
    );
    expect((await ask('messages', { stream: true })).text).toMatch(/event: error\ndata: \{"type":"error"/);
    expect((await ask('chat/completions', {})).text).toMatch(/200 OK[^]*\{"error":\{"message":"The simul/);
  });

  it('says something that is no JSON, and goes on', async () => {
    const { text, whole } = await stream({ kind: 'malformed-event', afterChunks: 4 });
    expect([wordsIn(text), whole]).toEqual([10, true]);
    expect(text).toContain('data: {"choices":[{"simulated\n\n');
    expect(text).toContain('[DONE]');
  });

  it('leaves its end marker out', async () => {
    const { text, whole } = await stream({ kind: 'no-end-marker' });
    expect([wordsIn(text), whole]).toEqual([10, true]);
    expect(text).not.toContain('[DONE]');
    const message = await ask('messages', { stream: true });
    expect(message.text).toContain('message_delta');
    expect(message.text).not.toContain('message_stop');
  });

  it('counts wrongly', async () => {
    await host.setFault({ kind: 'wrong-usage' });
    expect((await ask('chat/completions', {})).text).toContain('"completion_tokens":999999');
    expect((await ask('messages', { stream: true })).text).toContain('"output_tokens":999999');
  });
});
