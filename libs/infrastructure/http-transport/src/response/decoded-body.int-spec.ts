import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gunzip,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from '../http-transport.ts';
import type { TransportError } from '../transport-error.ts';

describe('a body without its compression', () => {
  let server: LocalServer;
  let transport: HttpTransport;
  let answer: ServerResponse;
  let encoding: string;

  beforeEach(async () => {
    encoding = 'gzip';
    server = await listen((_, response) => {
      answer = response;
      response.writeHead(200, { 'Content-Encoding': encoding, 'X-Other': 'a' }).flushHeaders();
    });
    transport = new HttpTransport();
  });
  afterEach(async () => {
    await transport.close(0);
    await server.close();
  });

  const ask = async () => {
    const response = await transport.request({ origin: server.origin, path: '/', method: 'GET' });
    return response.decoded((fault) => new Error('as the caller has it', { cause: fault }));
  };

  it('is there as it comes, wherever it is cut', async () => {
    const response = await ask();
    const bytes = gzipSync('hello');
    expect(response.headers).toMatchObject({ 'x-other': 'a' });
    expect(response.headers['content-encoding']).toBeUndefined();
    expect(response.rawHeaders.join()).not.toContain('Content-Encoding');
    for (const byte of bytes) answer.write(Buffer.of(byte));
    answer.end();
    expect((await response.bytes()).toString()).toBe('hello');
  });

  it.each(['gzip, snappy', 'gzip, gzip, gzip', 'constructor', '__proto__', ''])(
    'is the body itself where the compression is none that is known: %j',
    async (name) => {
      encoding = name;
      const response = await ask();
      answer.end('hello');
      expect(response.headers['content-encoding']).toBe(name);
      expect((await response.bytes()).toString()).toBe('hello');
    },
  );

  const small = Buffer.from('hello');
  it.each<[string, string, Buffer]>([
    ['deflate with its head', 'deflate', deflateSync(small)],
    ['deflate without its head', 'deflate', deflateRawSync(small)],
    ['one that was compressed again', 'br, gzip', gzipSync(brotliCompressSync(small))],
    ['zstd in several frames', 'zstd', Buffer.concat([zstdCompressSync('hel'), zstdCompressSync('lo')])],
    ['one beside what is none', 'identity, gzip', gzipSync(small)],
  ])('is there as it comes of %s', async (_, name, bytes) => {
    encoding = name;
    const response = await ask();
    expect(response.headers['content-encoding']).toBeUndefined();
    for (const byte of bytes) answer.write(Buffer.of(byte));
    answer.end();
    expect((await response.bytes()).toString()).toBe('hello');
  });

  it('is there whole where several frames of zstd come in one piece', async () => {
    encoding = 'zstd';
    const response = await ask();
    answer.end(Buffer.concat(['h', 'ell', 'o'].map((text) => zstdCompressSync(text))));
    expect((await response.bytes()).toString()).toBe('hello');
  });

  it.each([
    [23, 'hello'],
    [27, 'bad_response'],
  ])('takes a zstd whose text looks back 2^%i bytes as: %s', async (windowLog, outcome) => {
    encoding = 'zstd';
    // As it comes from a host that does not know how long it will be.
    const packer = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: windowLog } });
    packer.write('hello');
    packer.flush(() => packer.end());
    const packed = Buffer.concat((await packer.toArray()) as Buffer[]);
    const response = await ask();
    answer.end(packed);
    const said = response.bytes().then(String, (error: Error) => (error.cause as TransportError).reason);
    expect(await said).toBe(outcome);
  });

  it.each<[string, Buffer]>([
    ['are no gzip', Buffer.from('hello')],
    ['end before their end', gzipSync('hello'.repeat(100)).subarray(0, 20)],
  ])('breaks where the bytes %s', async (_, bytes) => {
    const response = await ask();
    answer.end(bytes);
    await expect(response.bytes()).rejects.toMatchObject({
      message: 'as the caller has it',
      cause: { reason: 'bad_response' },
    });
  });

  it.each(['gzip', 'deflate', 'br', 'zstd'])('is empty where not a byte comes, as %s', async (name) => {
    encoding = name;
    const response = await ask();
    answer.end();
    expect((await response.bytes()).toString()).toBe('');
  });

  it('breaks as the body does', async () => {
    const response = await ask();
    answer.write(gzipSync('hello').subarray(0, 12), () => answer.destroy());
    await expect(response.bytes()).rejects.toMatchObject({ reason: 'incomplete_body' });
  });

  it('is held back in full size, however few bytes it comes in', async () => {
    const unfolded = 16 * 1024 * 1024;
    const packed = gzipSync(Buffer.alloc(unfolded));
    const response = await ask();
    answer.end(packed);
    const { body } = response;
    await once(body, 'readable');
    // As long as it would take to unfold all of it.
    for (let time = 0; time < 2; time += 1) await promisify(gunzip)(packed);
    expect(body.readableLength).toBeLessThan(1_000_000);
    await expect(response.bytes(1_000_000)).rejects.toMatchObject({ reason: 'too_large' });
    await waitFor(() => answer.closed, { what: 'the end of the answer' });
  });

  it('ends with its connection when nobody wants it', async () => {
    const response = await ask();
    answer.write(gzipSync('hello').subarray(0, 12));
    response.discard();
    await waitFor(() => answer.destroyed, { what: 'the end of the connection' });
  });
});
