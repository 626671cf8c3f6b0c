import type { Transform, TransformCallback } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { ZstdFrames } from './zstd-frames.ts';

const WINDOW_LOG = 23;
/** 8 MiB are kept of a text at most (RFC 9659): whoever sends it names how much, and may name any amount. */
export const ZSTD_WINDOW_BYTES = 2 ** WINDOW_LOG;

/** How a Zstandard body is decoded. */
export interface ZstdDecoderOptions {
  /** Bytes that come out at a time. Default: Node's. */
  readonly chunkSize?: number;
  /** More frames are refused: each costs a turn of the decoder, however small it is. Default: any number. */
  readonly mostFrames?: number;
}

/**
 * Takes the Zstandard compression from a body. Of several frames each is decoded, as of several members of gzip. Breaks with
 * what follows the last one and is none, with a body that ends within one, and with one that needs more than 8 MiB of what
 * came before.
 */
export function zstdDecoder({ chunkSize, mostFrames = Infinity }: ZstdDecoderOptions = {}): Transform {
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  const decoder = createZstdDecompress({
    ...(chunkSize && { chunkSize }),
    params,
    rejectGarbageAfterEnd: true,
  });
  const frames = new ZstdFrames();
  const decode = decoder._transform.bind(decoder);
  decoder._transform = (piece: Buffer, encoding, done) => {
    // The end of the body: it may not be one.
    if (piece.length === 0) return decode(piece, encoding, done);
    const parts = frames.cut(piece).values();
    const next: TransformCallback = (error) => {
      const { value: part, done: isDone } = parts.next();
      if (error || isDone) done(error);
      else decode(part, encoding, next);
    };
    if (frames.count > mostFrames) done(new Error(`there are more than ${mostFrames} frames`));
    else next();
  };
  return decoder;
}
