import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '@morgan/foundation';

/** How a body comes: as it is, or compressed; Codex sends zstd. */
export type ContentEncoding = 'identity' | 'gzip' | 'zstd';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;
/** UTF-8 and its part ASCII. */
const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/**
 * Takes `application/json`, also with a suffix (`application/ld+json`), in UTF-8 or its part ASCII. That is what the
 * official clients send. A body without a type is refused: a web page may send such a one, or `text/plain`, to any
 * address without asking, and only a JSON type makes its browser ask first.
 * @throws AppError `unsupported_media_type`, naming what came
 */
export function checkMediaType({ 'content-type': type }: IncomingHttpHeaders): void {
  if (type === 'application/json') return;
  if (!isJsonType(type)) throw wrongMediaType('application/json', type);
  const [, ...parameters] = (type ?? '').toLowerCase().split(';');
  for (const parameter of parameters) {
    const charset = charsetIn(parameter);
    if (charset !== undefined && !CHARSETS.has(charset))
      throw unsupported(`The body must be in UTF-8, not in ${quote(charset)}.`);
  }
}

/** Whether a `content-type` is that of JSON, whatever its parameters say. */
export function isJsonType(type: string | undefined): boolean {
  return JSON_TYPE.test((type?.split(';', 1)[0] ?? '').trim().toLowerCase());
}

/** No pattern: of one with many spaces it would try every way to read them, for a minute. */
function charsetIn(parameter: string): string | undefined {
  const at = parameter.indexOf('=');
  if (at < 0 || parameter.slice(0, at).trim() !== 'charset') return undefined;
  return parameter
    .slice(at + 1)
    .trim()
    .replace(/^"|"$/g, '');
}

/** @throws AppError `unsupported_media_type`, naming what came */
export function contentEncodingOf({ 'content-encoding': encoding }: IncomingHttpHeaders): ContentEncoding {
  if (encoding === undefined) return 'identity';
  const name = encoding.trim().toLowerCase();
  if (name === 'identity' || name === '') return 'identity';
  if (name === 'gzip' || name === 'x-gzip') return 'gzip';
  if (name === 'zstd') return 'zstd';
  throw unsupported(`The content-encoding must be gzip, zstd or none, not ${quote(encoding)}.`);
}

/** The refusal of a body of another type. @param expected in words */
export function wrongMediaType(expected: string, type: string | undefined): AppError {
  return unsupported(`The content-type must be ${expected}, not ${quote(type)}.`);
}

function unsupported(message: string): AppError {
  return new AppError('unsupported_media_type', message);
}

/** A header's value, short enough for a message. */
function quote(value: string | undefined): string {
  return value === undefined ? 'missing' : `'${value.slice(0, 100)}'`;
}
