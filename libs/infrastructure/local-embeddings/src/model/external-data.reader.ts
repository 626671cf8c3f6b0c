import { type FileHandle, open } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ModelFolder } from './model-folder.ts';
import { ModelLoadError } from './model-load-error.ts';

/**
 * Where an ONNX file can hold tensors, as paths of field numbers of onnx.proto: a message of the kind on the left has,
 * in the field in the middle, a message of the kind on the right.
 */
const CHILDREN: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'entry' },
};
const ENTRY = { key: 1, value: 2 };
const LENGTH_DELIMITED = 2;
const MAX_NAME_BYTES = 4096;
const MAX_DEPTH = 64;
const WINDOW_BYTES = 64 * 1024;

/**
 * The data files that a graph refers to, relative to the folder: weights above 2 GB never fit into the graph's own file,
 * and exporters name the rest as they like. Reads headers only, whatever the size of the file.
 * @throws ModelLoadError for a file that is no ONNX, or a reference that leads out of the folder
 */
export async function readExternalData(folder: ModelFolder, graph: string): Promise<readonly string[]> {
  folder.checkFetched(graph);
  const file = await open(folder.pathOf(graph));
  try {
    const stats = await file.stat();
    const { size } = stats;
    if (!stats.isFile() || size === 0)
      throw new ModelLoadError(`${graph} is ${stats.isFile() ? 'empty' : 'no file'}`);
    const walk = new ProtobufWalk(file, graph);
    await walk.visit('model', { start: 0, end: size }, 0);
    const names = [...walk.locations].map((location) => posix.join(posix.dirname(graph), location));
    names.forEach((name) => folder.pathOf(name));
    return names.sort();
  } finally {
    await file.close();
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

class ProtobufWalk {
  readonly locations = new Set<string>();
  readonly #file: FileHandle;
  readonly #name: string;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  constructor(file: FileHandle, name: string) {
    this.#file = file;
    this.#name = name;
  }

  async visit(kind: string, range: Range, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw this.#damaged();
    const entry: Record<number, string> = {};
    let at = range.start;
    while (at < range.end) {
      const tag = await this.#varint(at, range.end);
      const field = Math.floor(tag.value / 8);
      const body = await this.#body(tag.value % 8, tag.next, range.end);
      const child = CHILDREN[kind]?.[field];
      if (child !== undefined && body.wire === LENGTH_DELIMITED) await this.visit(child, body, depth + 1);
      if (kind === 'entry') entry[field] = await this.#text(body);
      at = body.end;
    }
    if (entry[ENTRY.key] === 'location') this.locations.add(entry[ENTRY.value] ?? '');
  }

  async #body(wire: number, start: number, limit: number): Promise<Range & { readonly wire: number }> {
    const fixed = { 1: 8, 5: 4 }[wire];
    let range: Range;
    if (fixed !== undefined) range = { start, end: start + fixed };
    else if (wire === 0) range = { start, end: (await this.#varint(start, limit)).next };
    else if (wire === LENGTH_DELIMITED) {
      const length = await this.#varint(start, limit);
      range = { start: length.next, end: length.next + length.value };
    } else throw this.#damaged();
    if (range.end > limit) throw this.#damaged();
    return { ...range, wire };
  }

  async #text({ start, end }: Range): Promise<string> {
    if (end - start > MAX_NAME_BYTES) throw this.#damaged();
    let text = Buffer.alloc(0);
    for (let at = start; at < end; at += 1) text = Buffer.concat([text, Buffer.of(await this.#byte(at))]);
    return text.toString();
  }

  async #varint(start: number, limit: number): Promise<{ readonly value: number; readonly next: number }> {
    let value = 0;
    for (let index = 0; index < 10 && start + index < limit; index += 1) {
      const byte = await this.#byte(start + index);
      value += (byte % 128) * 2 ** (7 * index);
      if (byte < 128) return { value, next: start + index + 1 };
    }
    throw this.#damaged();
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
    if (byte === undefined) throw this.#damaged();
    return byte;
  }

  #damaged(): ModelLoadError {
    return new ModelLoadError(`${this.#name} is no ONNX file, or is damaged`);
  }
}
