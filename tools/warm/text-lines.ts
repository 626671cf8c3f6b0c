import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** A longer line would be refused by the service with its default limit of a body, whatever it is. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 10;
const GZIP = Buffer.from([0x1f, 0x8b]);

/** One line of a file without its end, or what is wrong with it. */
interface TextLine {
  readonly text: string | undefined;
  readonly fault?: string;
  /** Bytes of the file that have been read so far. */
  readonly readBytes: number;
}

/**
 * The lines of a file in UTF-8, which may be compressed with gzip. Only `\n` and `\r\n` end one: JSON may have other separators
 * of lines in its texts. Of a line that is too long nothing is kept.
 */
export async function* linesOf(file: string): AsyncGenerator<TextLine> {
  const isCompressed = await startsAsGzip(file);
  const raw = createReadStream(file);
  const source = isCompressed ? pipeline(raw, createGunzip(), () => undefined) : raw;
  let readBytes = 0;
  let line = new OpenLine();
  const read = (bytes: number) => (readBytes = isCompressed ? raw.bytesRead : readBytes + bytes);
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      line.add(chunk.subarray(start, end));
      read(end + 1 - start);
      yield { ...line.close(), readBytes };
      line = new OpenLine();
      start = end + 1;
    }
    line.add(chunk.subarray(start));
    read(chunk.length - start);
  }
  if (line.length > 0) yield { ...line.close(), readBytes };
}

/** A line whose end has not come yet. */
class OpenLine {
  length = 0;
  #parts: Buffer[] = [];

  add(part: Buffer): void {
    this.length += part.length;
    if (this.length > LONGEST_LINE_BYTES) this.#parts = [];
    else this.#parts.push(part);
  }

  close(): Pick<TextLine, 'text' | 'fault'> {
    if (this.length > LONGEST_LINE_BYTES)
      return { text: undefined, fault: `is longer than ${LONGEST_LINE_BYTES} bytes` };
    const bytes = Buffer.concat(this.#parts);
    if (!isUtf8(bytes) || bytes.includes(0)) return { text: undefined, fault: 'is no text in UTF-8' };
    return { text: bytes.toString().replace(/\r$/, '') };
  }
}

async function startsAsGzip(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
  return buffer.equals(GZIP);
}
