import type { FileHandle } from 'node:fs/promises';
import { ModelLoadError } from '../model-load-error.ts';

/** A part of a file, in bytes from its start. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A field of a message; its content lies between `start` and `end`. */
interface Field extends Range {
  readonly number: number;
  /** Where its tag begins. */
  readonly tagAt: number;
  /** Whether it may be a message, a text or bytes. */
  readonly isBlock: boolean;
}

/** Widths of contents that are not told, by wire type. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const WINDOW_BYTES = 64 * 1024;

/** A protobuf file that is read in part: what is skipped is never read, so that its size does not matter. */
export class ProtobufFile {
  readonly #file: FileHandle;
  readonly #name: string;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  /** @param name for errors */
  constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** All of it. */
  async whole(): Promise<Range> {
    return { start: 0, end: (await this.#file.stat()).size };
  }

  /** The fields of a message, in the order of the file. @throws ModelLoadError where there is no message */
  async *fields({ start, end }: Range): AsyncGenerator<Field> {
    let at = start;
    while (at < end) {
      const tag = await this.#varint(at, end);
      const content = await this.#content(tag.value % 8, tag.next, end);
      yield {
        ...content,
        number: Math.floor(tag.value / 8),
        tagAt: at,
        isBlock: tag.value % 8 === LENGTH_DELIMITED,
      };
      at = content.end;
    }
  }

  async bytes({ start, end }: Range): Promise<Buffer> {
    const bytes = Buffer.alloc(end - start);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) throw this.damaged();
    return bytes;
  }

  damaged(): ModelLoadError {
    return new ModelLoadError(`${this.#name} is no ONNX file, or is damaged`);
  }

  async #content(wire: number, start: number, limit: number): Promise<Range> {
    const fixed = FIXED_BYTES[wire];
    let range: Range;
    if (fixed !== undefined) range = { start, end: start + fixed };
    else if (wire === VARINT) range = { start, end: (await this.#varint(start, limit)).next };
    else if (wire === LENGTH_DELIMITED) {
      const length = await this.#varint(start, limit);
      range = { start: length.next, end: length.next + length.value };
    } else throw this.damaged();
    if (range.end > limit) throw this.damaged();
    return range;
  }

  async #varint(start: number, limit: number): Promise<{ readonly value: number; readonly next: number }> {
    let value = 0;
    for (let index = 0; index < 10 && start + index < limit; index += 1) {
      const byte = await this.#byte(start + index);
      value += (byte % 128) * 2 ** (7 * index);
      if (byte < 128) return { value, next: start + index + 1 };
    }
    throw this.damaged();
  }

  /** Through a window, so that a field costs no system call. */
  async #byte(at: number): Promise<number> {
    if (at < this.#windowStart || at >= this.#windowStart + this.#window.length) {
      const window = Buffer.alloc(WINDOW_BYTES);
      const { bytesRead } = await this.#file.read(window, 0, WINDOW_BYTES, at);
      this.#window = window.subarray(0, bytesRead);
      this.#windowStart = at;
    }
    const byte = this.#window[at - this.#windowStart];
    if (byte === undefined) throw this.damaged();
    return byte;
  }
}
