import { closeSync, fstatSync, openSync } from 'node:fs';
import { basename } from 'node:path';

interface MappedFile {
  readonly path: string;
  readonly descriptor: number;
  readonly stamp: string;
}

/** A file of the model was written to: what is computed from now on would not be what it has been. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError';
}

/**
 * Files that the runtime reads weights from whenever it runs. One that somebody writes to meanwhile, in place of putting another where it
 * is, would change vectors in silence.
 */
export class MappedFiles {
  readonly #files: readonly MappedFile[];

  /** Call it before the runtime opens them. */
  constructor(paths: readonly string[]) {
    this.#files = paths.map((path) => {
      const descriptor = openSync(path, 'r');
      return { path, descriptor, stamp: stampOf(descriptor) };
    });
  }

  /** @throws FileChangedError that names a file that has been written to */
  check(): void {
    const changed = this.#files.find(({ descriptor, stamp }) => stampOf(descriptor) !== stamp);
    if (changed) throw new FileChangedError(`${basename(changed.path)} was written to while it is in use`);
  }

  close(): void {
    for (const { descriptor } of this.#files) closeSync(descriptor);
  }
}

function stampOf(descriptor: number): string {
  const { size, mtimeMs } = fstatSync(descriptor);
  return `${size} ${mtimeMs}`;
}
