import type { Transform } from 'node:stream';
import { zstdDecoder } from '@morgan/foundation';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { IncomingBody } from './incoming-body.ts';
import type { ResponseBody } from './response-body.ts';
import { TransportError } from '../transport-error.ts';

/** What undoes a compression that begins so. */
type Decoder = (first: Buffer) => Transform;

/** Deflate has a head of two bytes, which some servers leave out: their sum is a multiple of 31. */
const createDeflate: Decoder = (first) => {
  const hasHead = (first[0] ?? 0) % 16 === 8 && (first.length < 2 || first.readUInt16BE() % 31 === 0);
  return hasHead ? createInflate() : createInflateRaw();
};

/** No object: a host may name what every object has. */
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', createDeflate],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => zstdDecoder()],
]);

/** One of a server and one of a proxy before it; more would unfold a few bytes to any amount of work. */
const MOST_ENCODINGS = 2;

/** What undoes a `content-encoding`, the outermost first; nothing where one of them is not known, or there are too many. */
export function decodersOf(encoding = ''): readonly Decoder[] {
  const names = encoding
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const decoders = names.flatMap((name) => DECODERS.get(name) ?? []);
  return decoders.length === names.length && names.length <= MOST_ENCODINGS ? decoders.reverse() : [];
}

/**
 * A body without its compression. No more of it is held than of any other, however much a few bytes unfold to: the
 * decoder rests while the reader is slow.
 * @param asFault what the reader meets where the bytes are not what they say: `bad_response`.
 */
export function decodedBody(
  source: ResponseBody,
  decoderFor: Decoder,
  asFault: (error: TransportError) => Error,
): IncomingBody {
  let decoder: Transform | undefined;
  const abandon = () => {
    source.destroy();
    decoder?.destroy();
  };
  const body = new IncomingBody(
    { pause: () => decoder?.pause(), resume: () => void decoder?.resume() },
    abandon,
  );
  source.once('error', (fault) => {
    body.fail(fault);
    decoder?.destroy();
  });
  // Of nothing there is nothing to undo: a 204 may name an encoding, too.
  source.once('end', () => {
    if (!decoder) body.end();
  });
  source.once('data', (first: Buffer) => {
    decoder = decoderFor(first);
    decoder.on('data', (chunk: Buffer) => {
      if (!body.push(chunk)) decoder?.pause();
    });
    decoder.once('end', () => body.end());
    decoder.once('error', (cause) => {
      body.fail(asFault(new TransportError('bad_response', false, cause)));
      source.destroy();
    });
    decoder.write(first);
    source.pipe(decoder);
  });
  return body;
}
