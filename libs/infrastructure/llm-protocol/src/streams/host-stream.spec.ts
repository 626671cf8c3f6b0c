import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { readableBody } from '@morgan/http-transport';
import { chatDialect } from '../dialects/chat.dialect.ts';
import { HostStream } from './host-stream.ts';

const LIMITS = { firstContentMs: 30_000, stallMs: 30_000, finishMs: 30_000, maxEventBytes: 1_000 };

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const EMPTY = chunk({});
const STOP = chunk({}, 'stop');
const UNREADABLE = 'data: {x\n\n';

const ignore = () => undefined;
const streamOf = (body: PassThrough) =>
  new HostStream(readableBody(body), { dialect: chatDialect, limits: LIMITS });

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

  it.each([
    ['is broken', 1_001, STOP, { reason: 'host_error' }],
    ['goes on', 1_000, STOP, undefined],
    ['goes on', 1_000, chunk({ content: 'a' }) + UNREADABLE.repeat(1_000) + STOP, undefined],
  ])('%s where %s events in a row cannot be read', async (_, count, rest, fault) => {
    const body = new PassThrough();
    const stream = streamOf(body);
    body.write(chunk({ content: 'a' }));
    await stream.opened();
    stream.start({ event: ignore, flush: ignore, ended: ignore, failed: ignore });
    body.end(UNREADABLE.repeat(count) + rest);
    expect(await stream.over).toEqual(fault ? expect.objectContaining(fault) : 'whole');
  });

  it('holds its host back from the end of the turn of its first content until somebody listens', async () => {
    const body = new PassThrough();
    const stream = streamOf(body);
    body.write(chunk({ content: 'a' }));
    await stream.opened();
    await nextTurn();
    expect(body.isPaused()).toBe(true);
    stream.start({ event: ignore, flush: ignore, ended: ignore, failed: ignore });
    expect(body.isPaused()).toBe(false);
    stream.destroy();
  });

  it('is whole where what follows its last choice cannot be read', async () => {
    const body = new PassThrough();
    const stream = streamOf(body);
    body.end(STOP + UNREADABLE.repeat(1_001));
    await stream.opened();
    stream.start({ event: ignore, flush: ignore, ended: ignore, failed: ignore });
    expect(await stream.over).toBe('whole');
  });
});
