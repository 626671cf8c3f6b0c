import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { readableBody } from '@morgan/http-transport';
import { MessageEvents } from '../translation/to-message/message-events.ts';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { messagesDialect } from '../dialects/messages.dialect.ts';
import { HostStream } from './host-stream.ts';
import type { StreamFault } from '../sse/stream-fault.ts';
import { TranslatedStream } from './translated-stream.ts';

const LIMITS = { firstContentMs: 30_000, stallMs: 30_000, finishMs: 30_000, maxEventBytes: 100_000 };

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const HELLO = chunk({ content: 'Hello' });
const WORLD = chunk({ content: ' world' });
const STOP = chunk({}, 'stop');
const DONE = 'data: [DONE]\n\n';
const callOf = (index: number, args: string) =>
  chunk({
    tool_calls: [{ index, id: `call_${index}`, function: { name: `tool${index}`, arguments: args } }],
  });
const CALL_WITHOUT_END = callOf(0, '{"a":');
const OF_NO_CALL = chunk({ tool_calls: [{ index: 7, function: { arguments: '1}' } }] });

describe('a stream in the words of another dialect', () => {
  let body: PassThrough;
  let told: string;
  let end: Promise<StreamFault | 'ended'>;
  let stream: TranslatedStream;

  /** A host that has said so much when its answer is taken over. */
  async function start(...events: string[]): Promise<void> {
    body = new PassThrough();
    body.on('error', () => undefined);
    const host = new HostStream(readableBody(body), { dialect: chatDialect, limits: LIMITS });
    body.write(events.join(''));
    await host.opened();
    stream = new TranslatedStream(host, new MessageEvents(), messagesDialect);
    end = new Promise((resolve) =>
      stream.start({
        event: ({ raw }) => (told += raw.toString()),
        flush: () => undefined,
        ended: (marker) => {
          told += marker?.toString() ?? '';
          resolve('ended');
        },
        failed: resolve,
      }),
    );
  }
  beforeEach(() => void (told = ''));

  it('ends with the marker of that dialect', async () => {
    await start(HELLO);
    body.end(STOP + DONE);
    expect(await end).toBe('ended');
    expect(told.match(/^event: .*$/gm)?.at(-1)).toBe('event: message_stop');
  });

  it('has comments as they came', async () => {
    await start(HELLO);
    body.end(`: still here\n\n${STOP}${DONE}`);
    await end;
    expect(told).toContain('\n\n: still here\n\nevent:');
  });

  it('breaks where its host breaks', async () => {
    await start(HELLO);
    body.destroy(new Error('reset'));
    expect(await end).toMatchObject({ reason: 'cut' });
    expect(told).not.toContain('message_stop');
  });

  it.each([
    ['goes on with a tool call that never began', OF_NO_CALL],
    ['does so with its last words, without the blank line', OF_NO_CALL.trimEnd()],
    ['leaves a tool call without its end', chunk({}, 'tool_calls') + DONE],
  ])('breaks where it cannot be told, as its host %s', async (_, rest) => {
    await start(CALL_WITHOUT_END);
    body.end(rest);
    expect(await end).toMatchObject({ reason: 'host_error' });
    expect(told).not.toContain('message_stop');
  });

  it('holds its host back while its reader takes nothing', async () => {
    await start(HELLO);
    stream.pause();
    body.end(WORLD + STOP + DONE);
    await new Promise((resolve) => setImmediate(resolve));
    expect([told.includes(' world'), body.isPaused()]).toEqual([false, true]);
    stream.resume();
    expect(await end).toBe('ended');
    expect(told).toContain(' world');
  });
});
