import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { z } from 'zod';
import { ModelLoadError } from './model-load-error.ts';

const LISTED_FILES = 40;
/** How the note begins that Git LFS keeps in the place of a large file, and more than it ever has. */
const POINTER = 'version https://git-lfs';
const LONGEST_POINTER_BYTES = 1_024;

/** The files of a model, by names relative to its folder. A name never leads out of the folder. */
export class ModelFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws ModelLoadError for a name that leads out of the folder */
  pathOf(name: string): string {
    const clean = normalize(name);
    if (clean.startsWith('..') || clean.startsWith('/'))
      throw new ModelLoadError(`${name} lies outside of the folder`);
    return join(this.path, clean);
  }

  /**
   * @throws ModelLoadError where that cannot be seen, and for a link to a file that is not there: a folder that was copied
   * without what its links lead to must not pass for one that never had the file
   */
  has(name: string): boolean {
    const path = this.pathOf(name);
    try {
      if (statSync(path, { throwIfNoEntry: false })) return true;
      if (!lstatSync(path, { throwIfNoEntry: false })) return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false;
      throw new ModelLoadError(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
    }
    throw new ModelLoadError(`${name} is a link to a file that is not there`);
  }

  sizeOf(name: string): number {
    return statSync(this.pathOf(name)).size;
  }

  /** @throws ModelLoadError where a clone without Git LFS left only a note of the file in its place */
  checkFetched(name: string): void {
    if (isPointer(this.pathOf(name)))
      throw new ModelLoadError(`${name} is a pointer of Git LFS, not the file; \`git lfs pull\` fetches it`);
  }

  /** @returns undefined when there is no such file. @throws ModelLoadError when it is no JSON */
  async json(name: string): Promise<unknown> {
    if (!this.has(name)) return undefined;
    this.checkFetched(name);
    try {
      return JSON.parse(await readFile(this.pathOf(name), 'utf8')) as unknown;
    } catch (error) {
      throw new ModelLoadError(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Reads a JSON file of a known shape; a key that the schema does not know is a fault with its name.
   * @returns undefined when there is no such file. @throws ModelLoadError
   */
  async read<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const content = await this.json(name);
    if (content === undefined) return undefined;
    const parsed = schema.safeParse(content);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map(({ path, message }) =>
      [path.join('.'), message].filter(Boolean).join(': '),
    );
    throw new ModelLoadError(`${name} is not understood: ${faults.join('; ')}`);
  }

  /** The ONNX files where they usually are: in the folder itself and in `onnx/`. */
  graphs(): string[] {
    return ['', 'onnx'].flatMap((folder) =>
      this.#names(folder)
        .filter((name) => name.endsWith('.onnx'))
        .map((name) => join(folder, name)),
    );
  }

  /** Folders with settings that are named as sentence-transformers names those of its modules, such as `2_Dense`. */
  modules(): string[] {
    return this.#names('').filter((name) => /^\d+_[A-Z]\w*$/.test(name) && this.has(`${name}/config.json`));
  }

  /** What is there, for errors. */
  listing(): string {
    const names = [...this.#names(''), ...this.#names('onnx').map((name) => `onnx/${name}`)];
    const shown = names.slice(0, LISTED_FILES).join(', ');
    if (names.length > LISTED_FILES) return `${shown} and ${names.length - LISTED_FILES} more`;
    return shown || 'nothing';
  }

  #names(folder: string): string[] {
    const path = join(this.path, folder);
    return existsSync(path) ? readdirSync(path).sort() : [];
  }
}

/** Whether a file is the note that Git LFS keeps in the place of a large one. */
export function isPointer(path: string): boolean {
  return statSync(path).size <= LONGEST_POINTER_BYTES && readFileSync(path, 'latin1').startsWith(POINTER);
}
