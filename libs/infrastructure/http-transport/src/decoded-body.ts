import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import { IncomingBody } from './incoming-body.ts';
import type { ResponseBody } from './response-body.ts';
import { TransportError } from './transport-error.ts';

/** 8 MiB are kept of a text at most (RFC 9659): a host names how much, and may name any amount. */
const ZSTD_WINDOW_LOG = 23;
const createZstd = () =>
  createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });

/** No object: a host may name what every object has. */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstd],
]);

/** What undoes a `content-encoding`; none for one that is not known. */
export function decoderOf(encoding: string | undefined): Transform | undefined {
  return encoding === undefined ? undefined : DECODERS.get(encoding.trim().toLowerCase())?.();
}

/**
 * A body without its compression. No more of it is held than of any other, however much a few bytes unfold to: the
 * decoder rests while the reader is slow.
 * @param asFault what the reader meets where the bytes are not what they say: `bad_response`.
 */
export function decodedBody(
  source: ResponseBody,
  decoder: Transform,
  asFault: (error: TransportError) => Error,
): IncomingBody {
  const abandon = () => {
    source.destroy();
    decoder.destroy();
  };
  const body = new IncomingBody({ resume: () => void decoder.resume() }, abandon);
  let isEmpty = true;
  source.once('data', () => (isEmpty = false));
  source.once('error', (fault) => {
    body.fail(fault);
    decoder.destroy();
  });
  decoder.on('data', (chunk: Buffer) => {
    if (!body.push(chunk)) decoder.pause();
  });
  decoder.once('end', () => body.end());
  decoder.once('error', (cause) => {
    // Decoders miss their own end, but of nothing there is nothing to undo: a 204 may name an encoding, too.
    if (isEmpty) return body.end();
    body.fail(asFault(new TransportError('bad_response', false, cause)));
    source.destroy();
  });
  source.pipe(decoder);
  return body;
}
