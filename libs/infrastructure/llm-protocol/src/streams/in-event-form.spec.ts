import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { readableBody } from '@morgan/http-transport';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { HostStream } from './host-stream.ts';
import { SseEvent } from '../sse/sse-event.ts';

afterEach(() => {
  jest.restoreAllMocks();
});

const LIMITS = { firstContentMs: 60_000, stallMs: 60_000, finishMs: 60_000, maxEventBytes: 1024 };
const textEvent = (content: string) =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`;

describe('an event of a text', () => {
  it('is not decoded where it differs from the one before in its text only', async () => {
    const decoded = jest.spyOn(SseEvent.prototype, 'data', 'get');
    const body = Readable.from([Buffer.from(textEvent('one') + textEvent(' two'))], { objectMode: false });
    const stream = new HostStream(readableBody(body), { dialect: chatDialect, limits: LIMITS });
    await stream.opened();
    const texts: (string | undefined)[] = [];
    stream.start({
      event: (_, { text }) => texts.push(text),
      flush: () => undefined,
      ended: () => undefined,
      failed: () => undefined,
    });
    await stream.over;
    expect(texts).toEqual(['one', ' two']);
    expect(decoded.mock.contexts.map((event) => (event as SseEvent).raw.toString())).not.toContain(
      textEvent(' two'),
    );
  });
});
