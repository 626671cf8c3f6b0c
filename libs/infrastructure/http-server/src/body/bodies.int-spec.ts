import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig, type LogFields, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Drain } from '../drain.ts';
import { createHttpApplication } from '../http-application.ts';
import { httpConfig } from '../http-server.config.ts';

const MIB = 1024 * 1024;
const LIMIT = 32 * MIB;

const { http: config } = loadConfig(
  z.strictObject({ http: httpConfig({ port: 0, bodyLimitBytes: LIMIT, maxBodyBytes: 80 * MIB }) }),
  { env: {} },
);

@Controller('v1')
class BodyController {
  readonly held: (() => void)[] = [];

  @Post('echo')
  @HttpCode(200)
  echo(@Body() body: unknown) {
    return { body };
  }

  /** Answers when it is asked to, and holds its body until then. */
  @Post('hold')
  @HttpCode(200)
  async hold() {
    await new Promise<void>((resolve) => this.held.push(resolve));
    return {};
  }

  @Post('large')
  large(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    void reply.send(Buffer.alloc(Number(request.headers['x-size']), 'x'));
  }
}

@Module({ controllers: [BodyController] })
class BodyModule {}

const logs: { fields: LogFields; message: string }[] = [];
let metrics: Metrics;
let app: NestFastifyApplication;
let port: number;

async function start(bodies: Partial<typeof config.bodies>): Promise<void> {
  const note = (fields: LogFields, message: string) => void logs.push({ fields, message });
  metrics = new Metrics();
  app = await createHttpApplication(
    { module: BodyModule },
    {
      config: { ...config, bodies: { ...config.bodies, ...bodies } },
      logger: { ...silentLogger, info: note, warn: note },
      drain: new Drain(),
      observers: [],
      metrics,
      authenticator: { identify: () => '' },
      api: { title: 'Bodies', description: 'An application for this test.' },
    },
  );
  await app.listen(0, '127.0.0.1');
  port = Number(new URL(await app.getUrl()).port);
}

beforeEach(() => {
  logs.length = 0;
});

const JSON_HEADERS = { 'content-type': 'application/json' };
const post = (path: string, body: string | Buffer | ReadableStream, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}/v1/${path}`, {
    method: 'POST',
    body,
    headers: { ...JSON_HEADERS, ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
const faultOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code, error.message] as const;
};
/** All series of it together. */
const figure = async (name: string): Promise<number> =>
  (await metrics.render())
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
const heldBytes = () => figure('morgan_http_body_bytes');
const stalled = () => figure('morgan_http_stalled_readers_total');
const nothingHeld = () =>
  waitFor(async () => (await heldBytes()) === 0, { what: 'the release of all bodies' });

/** Sends the head of an upload, and what is given of its body. */
async function beginUpload(length: number, body = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(
    `POST /v1/hold HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
  );
  return socket;
}

async function firstLine(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString().split('\r\n')[0] ?? '';
}

describe('admission', () => {
  beforeAll(() => start({ queueTimeoutMs: 1_000 }));
  afterAll(() => app.close());

  it('refuses large bodies that find no room, before they are read, and lets small calls through', async () => {
    const uploads = await Promise.all([beginUpload(30 * MIB), beginUpload(30 * MIB)]);
    await waitFor(async () => (await heldBytes()) === 60 * MIB, { what: 'two bodies on their way' });
    const third = await beginUpload(30 * MIB);
    const [head] = (await once(third, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1.1 503 .*retry-after: [1-3]\r\n.*"code":"overloaded"/s);
    expect((await post('echo', '{"a":1}')).status).toBe(200);
    expect(await figure('morgan_http_refused_total')).toBe(1);
    expect(logs.map(({ message }) => message)).toContain(
      'calls are refused: the limits of this service are reached',
    );
    for (const socket of [...uploads, third]) socket.destroy();
    await nothingHeld();
  });

  it('lets a body in that waited, as soon as one before it is released', async () => {
    const uploads = await Promise.all([beginUpload(30 * MIB), beginUpload(30 * MIB)]);
    await waitFor(async () => (await heldBytes()) === 60 * MIB, { what: 'two bodies on their way' });
    const third = post('echo', `["${'x'.repeat(20 * MIB)}"]`);
    await waitFor(async () => (await figure('morgan_http_waiting_requests')) === 1, { what: 'the wait' });
    uploads[0]?.destroy();
    const answer = await third;
    expect([answer.status, (await answer.arrayBuffer()).byteLength > 20 * MIB]).toEqual([200, true]);
    uploads[1]?.destroy();
    await nothingHeld();
  });

  it('holds a body until its answer is over, not only until it is read', async () => {
    const body = `["${'x'.repeat(MIB)}"]`;
    const call = post('hold', body);
    const { held } = app.get(BodyController);
    await waitFor(() => held.length === 1, { what: 'the call' });
    expect(await heldBytes()).toBe(body.length);
    held.pop()?.();
    expect((await call).status).toBe(200);
    await nothingHeld();
  });

  it('gives back what callers held who left in mid-upload', async () => {
    const uploads = await Promise.all(Array.from({ length: 20 }, () => beginUpload(2 * MIB, '["begun')));
    await waitFor(async () => (await heldBytes()) === 40 * MIB, { what: 'the uploads' });
    for (const [index, socket] of uploads.entries()) {
      if (index % 2) socket.destroy();
      else socket.resetAndDestroy();
    }
    await nothingHeld();
    expect(logs).toEqual([]);
  });

  it('charges a body without a length as it comes', async () => {
    let send: ReadableStreamDefaultController<Uint8Array> | undefined;
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) });
    const call = post('hold', stream);
    send?.enqueue(Buffer.from(`["${'x'.repeat(3 * MIB)}`));
    await waitFor(async () => (await heldBytes()) >= 3 * MIB, { what: 'the first part' });
    expect(await heldBytes()).toBeLessThanOrEqual(8 * MIB);
    send?.enqueue(Buffer.from('"]'));
    send?.close();
    const { held } = app.get(BodyController);
    await waitFor(() => held.length === 1, { what: 'the call' });
    held.pop()?.();
    expect((await call).status).toBe(200);
    await nothingHeld();
  });
});

describe('a body', () => {
  beforeAll(() => start({ maxValues: 500_000 }));
  afterAll(() => app.close());

  it.each([
    ['in one piece', (body: string) => body],
    ['in chunks', (body: string) => new Blob([body]).stream()],
  ])('arrives whole when it comes %s', async (_, send) => {
    const value = { text: 'é€😀\n"', list: Array.from({ length: 20_000 }, (_, index) => index) };
    const response = await post('echo', send(JSON.stringify(value)));
    expect(await response.json()).toEqual({ body: value });
  });

  it.each([
    ['{"a":1', 'invalid_json', 'byte 6'],
    ['{"a":01}', 'invalid_json', 'byte 6'],
    [Buffer.from([0x22, 0xff, 0x22]), 'invalid_json', 'not UTF-8 from byte 1'],
    [Buffer.from('{"café":"x\xe9"}', 'latin1'), 'invalid_json', 'not UTF-8 from byte 5'],
    [
      Buffer.concat([Buffer.from('{"é漢😀":"'), Buffer.from([0xe9, 0x22, 0x7d])]),
      'invalid_json',
      'not UTF-8 from byte 14',
    ],
    [Buffer.from('\uFEFF{}'), 'invalid_json', 'byte order mark'],
    ['['.repeat(129), 'body_too_complex', '128 levels'],
    [`[${'0,'.repeat(500_000)}0]`, 'body_too_complex', '500000 values'],
  ])('is refused with what is wrong', async (body, code, message) => {
    expect(await faultOf(await post('echo', body))).toEqual([400, code, expect.stringContaining(message)]);
    await nothingHeld();
  });

  it('is refused at its first fault, while the rest is still to come', async () => {
    const socket = await beginUpload(30 * MIB, '{"a":oops');
    expect(await firstLine(socket)).toContain('400');
    socket.destroy();
  });

  it('is refused when it is larger than the limit, announced or not', async () => {
    const announced = await beginUpload(LIMIT + 1);
    expect(await firstLine(announced)).toContain('413');
    const pieces = new Blob(['"', Buffer.alloc(LIMIT, 'x'), '"']);
    expect(await faultOf(await post('echo', pieces.stream()))).toEqual([
      413,
      'request_too_large',
      expect.stringContaining(`${LIMIT} bytes`),
    ]);
    announced.destroy();
    await nothingHeld();
  });

  it('is not asked for where there is no such path', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n');
    expect(await firstLine(socket)).toContain('404');
    socket.destroy();
  });
});

describe('a compressed body', () => {
  beforeAll(() => start({}));
  afterAll(() => app.close());

  const encoded = (encoding: string) => ({ 'content-encoding': encoding });
  const wide = (text: Buffer) => zstdCompressSync(text, { params: { [constants.ZSTD_c_windowLog]: 25 } });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('is decoded: %s', async (encoding, compress) => {
    const value = { text: 'again and '.repeat(100_000) };
    const response = await post('echo', compress(JSON.stringify(value)), encoded(encoding));
    expect(await response.json()).toEqual({ body: value });
    await nothingHeld();
  });

  it.each([
    ['members of gzip', 'gzip', gzipSync],
    ['frames of zstd', 'zstd', zstdCompressSync],
  ])('is decoded where it is of several %s', async (_, encoding, compress) => {
    const body = Buffer.concat(['{"a":', '1}'].map((part) => compress(part)));
    expect(await (await post('echo', body, encoded(encoding))).json()).toEqual({ body: { a: 1 } });
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('counts as large as it is when it is decoded: %s', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(100 * MIB, ' '));
    expect(bomb.length).toBeLessThan(MIB);
    const before = process.memoryUsage().rss;
    expect((await faultOf(await post('echo', bomb, encoded(encoding))))[1]).toBe('request_too_large');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MIB);
    await nothingHeld();
  });

  it('counts with what its decoder keeps of it, as long as it is decoded', async () => {
    const text = Buffer.concat([Buffer.alloc(30 * MIB, ' '), Buffer.from('{}')]);
    const other = await beginUpload(31 * MIB);
    await waitFor(async () => (await heldBytes()) === 31 * MIB, { what: 'the charge of the other body' });
    expect((await post('echo', gzipSync(text), encoded('gzip'))).status).toBe(200);
    expect((await faultOf(await post('echo', zstdCompressSync(text), encoded('zstd'))))[1]).toBe(
      'overloaded',
    );
    other.destroy();
    await nothingHeld();
    const held = post('hold', zstdCompressSync(text), encoded('zstd'));
    const { held: release } = app.get(BodyController);
    await waitFor(() => release.length > 0, { what: 'the held call' });
    expect(await heldBytes()).toBe(LIMIT);
    release.splice(0).forEach((end) => end());
    expect((await held).status).toBe(200);
    await nothingHeld();
  });

  it.each([
    ['no gzip', 'gzip', Buffer.from('{"a":1}')],
    ['cut off', 'gzip', gzipSync('{"a":1}').subarray(0, 15)],
    ['no zstd', 'zstd', Buffer.from('{"a":1}')],
    ['followed by more', 'zstd', Buffer.concat([zstdCompressSync('{"a":1}'), Buffer.from('more')])],
    [
      'a frame and a part of one',
      'zstd',
      Buffer.concat([zstdCompressSync('{"a":'), zstdCompressSync('1}').subarray(0, -1)]),
    ],
    [
      'of more frames than anybody needs',
      'zstd',
      Buffer.concat(new Array<Buffer>(1_100).fill(zstdCompressSync(' '))),
    ],
    ['zstd that would have much of it kept', 'zstd', wide(Buffer.alloc(30 * MIB, ' '))],
  ])('is refused when it is %s', async (_, encoding, body) => {
    expect(await faultOf(await post('echo', body, encoded(encoding)))).toEqual([
      400,
      'invalid_content_encoding',
      `The request body is not valid ${encoding}.`,
    ]);
  });

  it('is refused by name when it is compressed otherwise', async () => {
    const fault = await faultOf(await post('echo', '{}', { 'content-encoding': 'br' }));
    expect(fault).toEqual([415, 'unsupported_media_type', expect.stringContaining("'br'")]);
  });
});

describe('a slow upload', () => {
  beforeAll(() => start({ rateWindowMs: 300 }));
  afterAll(() => app.close());

  it.each([
    ['stalls', ''],
    ['trickles', 'x'],
  ])('that %s is refused with 408, said in the log and counted', async (_, more) => {
    const before = await figure('morgan_http_slow_uploads_total');
    const socket = await beginUpload(30 * MIB, '["begun');
    const trickle = setInterval(() => socket.write(more), 20);
    const [head] = (await once(socket, 'data')) as [Buffer];
    clearInterval(trickle);
    socket.destroy();
    expect(head.toString()).toMatch(/^HTTP\/1.1 408 .*4096 bytes per second.*"code":"request_timeout"/s);
    expect(logs).toMatchObject([
      { fields: { announcedBytes: 30 * MIB }, message: 'an upload was too slow and is refused' },
    ]);
    expect(await figure('morgan_http_slow_uploads_total')).toBe(before + 1);
    await nothingHeld();
  });
});

describe('a client that does not read', () => {
  beforeAll(() => start({ readStallTimeoutMs: 1_000 }));
  afterAll(() => app.close());

  const ask = async (size: number) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.pause();
    socket.write(`POST /v1/large HTTP/1.1\r\nhost: x\r\nx-size: ${size}\r\ncontent-length: 0\r\n\r\n`);
    return socket;
  };

  it('is left with a broken answer, which is logged and counted', async () => {
    const before = await stalled();
    const socket = await ask(20 * MIB);
    await waitFor(async () => (await stalled()) > before, { what: 'the end' });
    expect(logs.map(({ message }) => message)).toEqual([
      'the client stopped reading its answer, which is broken off',
    ]);
    let received = 0;
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    socket.resume();
    await once(socket, 'close');
    expect(received).toBeLessThan(20 * MIB);
  });

  it('but slowly gets all of it, and its connection serves further requests', async () => {
    const before = await stalled();
    const socket = await ask(40 * MIB);
    let received = 0;
    const startedAt = performance.now();
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      // Slower than the limit as a whole, never within it.
      if (performance.now() - startedAt > 1_500) return;
      socket.pause();
      setTimeout(() => socket.resume(), 2);
    });
    socket.resume();
    await waitFor(() => received > 40 * MIB, { what: 'the whole answer', timeoutMs: 20_000 });
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    socket.write('POST /v1/large HTTP/1.1\r\nhost: x\r\nx-size: 5\r\ncontent-length: 0\r\n\r\n');
    expect(await firstLine(socket)).toContain('201');
    socket.destroy();
    expect(await stalled()).toBe(before);
  });
});
