import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from '../http-transport.ts';

const PART = Buffer.alloc(1_000, 'x');

describe('the bytes of a body', () => {
  let server: LocalServer;
  let transport: HttpTransport;
  let answer: ServerResponse;

  beforeEach(async () => {
    server = await listen((_, response) => {
      answer = response;
      response.write(PART);
    });
    transport = new HttpTransport();
  });
  afterEach(async () => {
    await transport.close(0);
    await server.close();
  });

  const ask = ({ origin } = server) => transport.request({ origin, path: '/', method: 'GET' });

  it('come in one piece, up to the limit', async () => {
    const response = await ask();
    const bytes = response.bytes(3_000);
    answer.write(PART);
    answer.end(PART);
    expect(await bytes).toEqual(Buffer.alloc(3_000, 'x'));
  });

  it('above the limit are given up as soon as it is crossed, with their connection', async () => {
    const response = await ask();
    const bytes = response.bytes(1_500);
    answer.write(PART);
    await expect(bytes).rejects.toMatchObject({ reason: 'too_large', beforeResponse: false });
    await waitFor(() => answer.destroyed, { what: 'the end of the connection' });
  });

  it('are none any more when they were read before', async () => {
    const response = await ask();
    answer.end();
    expect(await response.bytes()).toHaveLength(1_000);
    expect(await response.bytes()).toHaveLength(0);
  });

  it('are not to be had when the response was given up, before or meanwhile', async () => {
    const response = await ask();
    const bytes = response.bytes();
    response.discard();
    await expect(bytes).rejects.toMatchObject({ reason: 'aborted' });
    await expect(response.bytes()).rejects.toMatchObject({ reason: 'aborted' });
  });

  it('have the fault of the body, before or meanwhile', async () => {
    const response = await ask();
    const bytes = response.bytes();
    answer.destroy();
    await expect(bytes).rejects.toMatchObject({ reason: 'incomplete_body' });
    await expect(response.bytes()).rejects.toMatchObject({ reason: 'incomplete_body' });
  });

  it('are whole up to a limit, or all still to be read as a stream', async () => {
    const small = await ask();
    const whole = small.bytesUpTo(2_000);
    answer.end(PART);
    expect(await whole).toHaveLength(2_000);
    const large = await ask();
    const tooMuch = large.bytesUpTo(1_999);
    answer.write(PART);
    expect(await tooMuch).toBeUndefined();
    answer.end(PART);
    expect(await large.body.bytes()).toHaveLength(3_000);
    const streamed = await ask();
    expect(streamed.body.destroyed).toBe(false);
    expect(await streamed.bytesUpTo(5_000)).toBeUndefined();
  });

  it('are waited for as long as it is said, and not at all when they are here', async () => {
    const slow = await ask();
    await expect(slow.bytesUpTo(2_000, 20)).rejects.toMatchObject({ reason: 'first_byte_timeout' });
    const ready = await ask();
    answer.end();
    await waitFor(() => answer.closed, { what: 'the end of the answer' });
    expect(await ready.bytesUpTo(2_000, 1)).toHaveLength(1_000);
  });

  it('stay at the server while nobody reads them', async () => {
    const response = await ask();
    const chunk = Buffer.alloc(1_000_000, 'y');
    for (let sent = 0; sent < 64; sent += 1) answer.write(chunk);
    const unread = answer;
    // Time enough for all of it to come: each of these takes several turns on both sides.
    for (let other = 0; other < 200; other += 1) {
      const bytes = (await ask()).bytes();
      answer.end();
      await bytes;
    }
    expect(unread.writableLength).toBeGreaterThan(32_000_000);
    unread.end();
    expect(await response.bytes()).toHaveLength(64_001_000);
  });

  it('that last until the connection closes are broken when it is reset, and whole when it is closed', async () => {
    for (const end of ['reset', 'close'] as const) {
      const sockets: Socket[] = [];
      const raw = createNetServer((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf'));
        sockets.push(socket);
      });
      await using half = await listen(raw);
      const response = await ask(half);
      await once(response.body, 'readable');
      const bytes = response.bytes();
      if (end === 'reset') sockets[0]?.resetAndDestroy();
      else sockets[0]?.end();
      if (end === 'close') expect((await bytes).toString()).toBe('half');
      else await expect(bytes).rejects.toMatchObject({ reason: 'incomplete_body', beforeResponse: false });
    }
  });
});
