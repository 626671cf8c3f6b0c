import type { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError, ZSTD_WINDOW_BYTES, zstdDecoder } from '@morgan/foundation';
import type { ContentEncoding } from './media-type.ts';

/** As much as a socket gives at a time: each piece is a turn of the loop and a task of its own. */
const DECODED_CHUNK_BYTES = 64 * 1024;
/** Whoever sends frames of zstd sends them for kilobytes. */
const MOST_FRAMES = 1_024;

/** What takes the compression from a body. Breaks with whatever is wrong with it: {@link notDecodable}. */
export function decoderOf(encoding: Exclude<ContentEncoding, 'identity'>): Transform {
  const chunkSize = DECODED_CHUNK_BYTES;
  // Of several members each is decoded.
  if (encoding === 'gzip') return createGunzip({ chunkSize });
  return zstdDecoder({ chunkSize, mostFrames: MOST_FRAMES });
}

/** The most that a decoder keeps of what it has decoded, in bytes, beside what it has handed on; that of gzip is too little to count. */
export function windowOf(encoding: ContentEncoding): number {
  return encoding === 'zstd' ? ZSTD_WINDOW_BYTES : 0;
}

/** The refusal of a body that is not what its `content-encoding` says. */
export function notDecodable(encoding: ContentEncoding, cause: unknown): AppError {
  return new AppError('invalid_content_encoding', `The request body is not valid ${encoding}.`, { cause });
}
