import { Readable } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { readableBody } from '@morgan/http-transport';
import { ThoughtProofs } from '../translation/thought-proofs.ts';
import { ToolCall } from '../translation/to-message/tool-call.ts';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { NO_READING } from '../dialects/dialect.ts';
import { HostStream } from './host-stream.ts';
import { SentResponse } from './resume/sent-response.ts';
import { SseEvent } from '../sse/sse-event.ts';
import { SseReader } from '../sse/sse-reader.ts';

const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a stream that comes in small pieces', () => {
  it('takes little more than its bytes, though each byte comes alone', () => {
    const bytes = Buffer.alloc(4 * MIB, 'x');
    const reader = new SseReader(8 * MIB);
    const before = heldBytes();
    for (let at = 0; at < bytes.length; at += 1) reader.push(bytes.subarray(at, at + 1), () => undefined);
    expect(heldBytes() - before).toBeLessThan(32 * MIB);
    expect(reader.rest()?.raw.equals(bytes)).toBe(true);
  });

  it('has ten thousand events without content at most, however short they are', async () => {
    const limits = { firstContentMs: 60_000, stallMs: 60_000, finishMs: 60_000, maxEventBytes: 8 * MIB };
    const body = Readable.from([Buffer.from('data: {"a":1}\n\n'.repeat(20_000))], { objectMode: false });
    const stream = new HostStream(readableBody(body), { dialect: chatDialect, limits });
    await expect(stream.opened()).rejects.toMatchObject({ reason: 'event_too_large' });
  });
});

describe('the arguments of a tool that wait for the name of the tool', () => {
  it('take little more than their characters, though each comes alone', () => {
    const call = new ToolCall('0 0', 'i', 'i');
    const before = heldBytes();
    call.take({ name: undefined, piece: '{"' });
    for (let count = 0; count < MIB; count += 1) call.take({ name: undefined, piece: 'é' });
    expect(heldBytes() - before).toBeLessThan(8 * MIB);
    expect(call.isObject).toBe(true);
    expect(call.told()).toHaveLength(MIB + 2);
  });
});

describe('thoughts that their host may want back', () => {
  const piece = (rest: object) => ({ reasoning_details: [{ type: 'reasoning.text', index: 0, ...rest }] });

  it.each([
    [100_000, true],
    [300_000, false],
  ])('are kept up to a length, and take little more: %d pieces, %s', (pieces, isKept) => {
    const proofs = new ThoughtProofs();
    const before = heldBytes();
    for (let count = 0; count < pieces; count += 1) proofs.note(piece({ text: 'é' }));
    expect(heldBytes() - before).toBeLessThan(16 * MIB);
    proofs.note(piece({ signature: 's' }));
    expect(proofs.take('m') !== undefined).toBe(isKept);
  });
});

describe('what is kept of a response to finish it elsewhere', () => {
  const event = new SseEvent(Buffer.from('data: {}\n\n'));
  const textOf = (length: number) => ({ ...NO_READING, content: 'text' as const, text: 'é'.repeat(length) });

  it('is its text, of a million characters at most', () => {
    const sent = new SentResponse();
    for (let count = 0; count < 1_000; count += 1) sent.add(event, textOf(1_000));
    expect(sent.text).toHaveLength(1_000_000);
    expect(sent.isPlainText).toBe(true);
    for (let count = 0; count < 1_000; count += 1) sent.add(event, textOf(1_000));
    expect(sent.text).toBe('');
    expect(sent.isPlainText).toBe(false);
    expect(sent.textEvents).toBe(2_000);
  });
});
