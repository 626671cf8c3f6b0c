import type { Transform, TransformCallback } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { AppError } from '@morgan/foundation';
import type { ContentEncoding } from './media-type.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** As much as a socket gives at a time: each piece is a turn of the loop and a task of its own. */
const DECODED_CHUNK_BYTES = 64 * 1024;
/** 8 MiB are kept of a text at most (RFC 8878, 3.1.1.1.2): a caller names how much, and may name any amount. */
const ZSTD_WINDOW_LOG = 23;

/** What takes the compression from a body. Breaks with whatever is wrong with it: {@link notDecodable}. */
export function decoderOf(encoding: Exclude<ContentEncoding, 'identity'>): Transform {
  const chunkSize = DECODED_CHUNK_BYTES;
  // Of several members each is decoded.
  if (encoding === 'gzip') return createGunzip({ chunkSize });
  return zstdDecoder(chunkSize);
}

/** Of several frames each is decoded, as of several members of gzip. What follows the last one and is none is refused. */
function zstdDecoder(chunkSize: number): Transform {
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
  const decoder = createZstdDecompress({ chunkSize, params, rejectGarbageAfterEnd: true });
  const frames = new ZstdFrames();
  const decode = decoder._transform.bind(decoder);
  decoder._transform = (piece: Buffer, encoding, done) => {
    // The end of the body: it may not be one.
    if (piece.length === 0) return decode(piece, encoding, done);
    const parts = frames.cut(piece);
    if (!parts) return done(new Error('there are more frames than anybody needs'));
    const rest = parts.values();
    const next: TransformCallback = (error) => {
      const { value: part, done: isDone } = rest.next();
      if (error || isDone) done(error);
      else decode(part, encoding, next);
    };
    next();
  };
  return decoder;
}

/** The refusal of a body that is not what its `content-encoding` says. */
export function notDecodable(encoding: ContentEncoding, cause: unknown): AppError {
  return new AppError('invalid_content_encoding', `The request body is not valid ${encoding}.`, { cause });
}
