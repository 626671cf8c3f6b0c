import type { Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { AppError } from '@morgan/foundation';
import type { ContentEncoding } from './media-type.ts';

/** As much as a socket gives at a time: each piece is a turn of the loop and a task of its own. */
const DECODED_CHUNK_BYTES = 64 * 1024;
/** 8 MiB are kept of a text at most (RFC 8878, 3.1.1.1.2): a caller names how much, and may name any amount. */
const ZSTD_WINDOW_LOG = 23;

/** What takes the compression from a body. Breaks with whatever is wrong with it: {@link notDecodable}. */
export function decoderOf(encoding: Exclude<ContentEncoding, 'identity'>): Transform {
  const chunkSize = DECODED_CHUNK_BYTES;
  // Of several members each is decoded.
  if (encoding === 'gzip') return createGunzip({ chunkSize });
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
  // What follows the end of a frame would be dropped, or read where it comes with another piece: it is refused.
  return createZstdDecompress({ chunkSize, params, rejectGarbageAfterEnd: true });
}

/** The refusal of a body that is not what its `content-encoding` says. */
export function notDecodable(encoding: ContentEncoding, cause: unknown): AppError {
  return new AppError('invalid_content_encoding', `The request body is not valid ${encoding}.`, { cause });
}
