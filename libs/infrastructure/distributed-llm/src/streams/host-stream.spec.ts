import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { HostStream } from './host-stream.ts';

const LIMITS = { firstContentMs: 30_000, stallMs: 30_000, finishMs: 30_000, maxEventBytes: 1_000 };

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const EMPTY = chunk({});
const STOP = chunk({}, 'stop');

const streamOf = (body: PassThrough) => new HostStream(body, { dialect: chatDialect, limits: LIMITS });

describe('the stream of a host', () => {
  it.each([new Error('reset'), undefined])(
    'is broken where its body was closed before anybody read it, by %s',
    async (error) => {
      const body = new PassThrough();
      body.on('error', () => undefined);
      body.destroy(error);
      if (!body.closed) await once(body, 'close').catch(() => undefined);
      await expect(streamOf(body).opened()).rejects.toMatchObject({ reason: 'cut' });
    },
  );

  it.each([
    ['is over behind its end', STOP, undefined],
    ['is too large', '', 'event_too_large'],
  ])('%s where the host says more without content than can be kept', async (_, before, reason) => {
    const body = new PassThrough();
    const opened = streamOf(body)
      .opened()
      .catch((fault: unknown) => fault);
    body.write(before + EMPTY.repeat(20));
    expect(await opened).toEqual(reason && expect.objectContaining({ reason }));
  });
});
