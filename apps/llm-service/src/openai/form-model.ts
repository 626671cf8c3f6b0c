import type { FieldSpan } from './request-outline.ts';

const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const NAME = /^content-disposition:[^\r\n]*;\s*name="?model"?\s*(?:;|$)/im;
const END_OF_HEAD = '\r\n\r\n';
/** Of one part. */
const LONGEST_HEAD = 2_048;
/** A form has a handful of fields: no more are looked at. */
const MOST_PARTS = 64;

/** Where the value of `model` stands in a multipart form. Searched by its boundaries: files are never looked into. */
export function modelInForm(bytes: Buffer, contentType: string): FieldSpan | undefined {
  const [, quoted, bare] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) return undefined;
  const delimiter = Buffer.from(`--${boundary}`);
  let at = bytes.indexOf(delimiter);
  for (let part = 0; at >= 0 && part < MOST_PARTS; part += 1) {
    const start = at + delimiter.length;
    const next = bytes.indexOf(delimiter, start);
    const end = next < 0 ? bytes.length : next - 2;
    const head = bytes.toString('latin1', start, Math.min(end, start + LONGEST_HEAD));
    const headEnd = head.indexOf(END_OF_HEAD);
    if (headEnd >= 0 && NAME.test(head.slice(0, headEnd)))
      return { kind: 'string', start: start + headEnd + END_OF_HEAD.length, end, escaped: false };
    at = next;
  }
  return undefined;
}
