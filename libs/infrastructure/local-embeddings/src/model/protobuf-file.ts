import type { FileHandle } from 'node:fs/promises';
import { ModelLoadError } from './model-load-error.ts';

const LENGTH_DELIMITED = 2;
const MAX_NAME_BYTES = 4096;
const WINDOW_BYTES = 64 * 1024;

/** Bytes of a file. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The content of one field of a message. */
export interface Field extends Range {
  readonly number: number;
  /** Whether it is a message, a text or bytes, not a number. */
  readonly isBlock: boolean;
}

/** A file of messages as protocol buffers have them, of which only what is asked for is read. */
export class ProtobufFile {
  readonly #file: FileHandle;
  readonly #name: string;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  /** @param name the file as errors are to call it */
  constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /** The fields of the message that is there. @throws ModelLoadError where it is none */
  async *fields({ start, end }: Range): AsyncGenerator<Field> {
    for (let at = start; at < end;) {
      const tag = await this.#varint(at, end);
      const { wire, ...content } = await this.#content(tag.value % 8, tag.next, end);
      yield { ...content, number: Math.floor(tag.value / 8), isBlock: wire === LENGTH_DELIMITED };
      at = content.end;
    }
  }

  /** @throws ModelLoadError where it is longer than any name */
  async text({ start, end }: Range): Promise<string> {
    if (end - start > MAX_NAME_BYTES) throw this.damaged();
    const bytes: number[] = [];
    for (let at = start; at < end; at += 1) bytes.push(await this.#byte(at));
    return Buffer.from(bytes).toString();
  }

  damaged(): ModelLoadError {
    return new ModelLoadError(`${this.#name} is no ONNX file, or is damaged`);
  }

  async #content(wire: number, start: number, limit: number): Promise<Range & { readonly wire: number }> {
    const fixed = { 1: 8, 5: 4 }[wire];
    let range: Range;
    if (fixed !== undefined) range = { start, end: start + fixed };
    else if (wire === 0) range = { start, end: (await this.#varint(start, limit)).next };
    else if (wire === LENGTH_DELIMITED) {
      const length = await this.#varint(start, limit);
      range = { start: length.next, end: length.next + length.value };
    } else throw this.damaged();
    if (range.end > limit) throw this.damaged();
    return { ...range, wire };
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

  /** Through a window, so that a field costs no system call, and what is skipped is never read. */
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
