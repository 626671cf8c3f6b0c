import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constants, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { zstdDecoder } from './zstd-decoder.ts';

const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = constants;

/** A frame that every decoder passes over (RFC 8878, 3.1.2). */
function skippable(bytes: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a53);
  head.writeUInt32LE(bytes, 4);
  return Buffer.concat([head, randomBytes(bytes)]);
}

const TEXTS = [
  Buffer.from('one'),
  Buffer.alloc(0),
  // Blocks of one repeated byte, blocks as they are, and compressed ones.
  Buffer.alloc(300_000, 'x'),
  randomBytes(200_000),
  Buffer.from('again and again, '.repeat(20_000)),
  Buffer.alloc(300, 'y'),
];
const FRAMES = TEXTS.flatMap((text) => [
  zstdCompressSync(text),
  skippable(text.length % 7),
  zstdCompressSync(text, { params: { [ZSTD_c_checksumFlag]: 1, [ZSTD_c_contentSizeFlag]: 0 } }),
]);
const WHOLE = Buffer.concat(TEXTS.flatMap((text) => [text, text]));

function decode(body: Buffer, pieceBytes: number, mostFrames?: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += pieceBytes) pieces.push(body.subarray(at, at + pieceBytes));
  const decoder = zstdDecoder(mostFrames === undefined ? {} : { mostFrames });
  const source = Readable.from(pieces).on('error', (error) => decoder.destroy(error));
  return buffer(source.pipe(decoder));
}

describe('a body of several frames', () => {
  it.each([97, 1_000, 65_536, Infinity])('is decoded from pieces of %d bytes', async (pieceBytes) => {
    expect((await decode(Buffer.concat(FRAMES), pieceBytes)).equals(WHOLE)).toBe(true);
  });

  it('is decoded byte by byte', async () => {
    const frames = [zstdCompressSync('one'), skippable(5), skippable(0), zstdCompressSync('two')];
    expect(String(await decode(Buffer.concat(frames), 1))).toBe('onetwo');
  });

  it.each([1, 10, Infinity])(
    'and of something else behind them is refused, in pieces of %d bytes',
    async (pieceBytes) => {
      const body = Buffer.concat([zstdCompressSync('one'), zstdCompressSync('two'), Buffer.from('three')]);
      await expect(decode(body, pieceBytes)).rejects.toThrow();
    },
  );

  it('is refused where it has more of them than are allowed, however small they are', async () => {
    const body = Buffer.concat(new Array<Buffer>(20).fill(skippable(0)));
    expect(await decode(body, 64, 20)).toHaveLength(0);
    await expect(decode(body, 64, 19)).rejects.toThrow('there are more than 19 frames');
  });
});
