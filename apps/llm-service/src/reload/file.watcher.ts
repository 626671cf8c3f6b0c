import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@morgan/foundation';

/** One save makes several events, and a file may be there before its content is. */
const SETTLE_MS = 200;

/** How often a folder that is gone is looked for. */
const RETURN_MS = 1_000;

/** What a watcher of a file works with. */
export interface FileWatcherOptions {
  readonly path: string;
  readonly onChange: () => void;
  readonly logger: Logger;
}

/**
 * Says when the content of a file has changed. It watches the folder, because editors and Kubernetes never write into a
 * file: they put another one, or another link, in its place; and the folder that is put in the place of that one, where
 * others deploy so. Only the content counts; its digest is all that is kept.
 */
export class FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #folder: string;
  #watcher: FSWatcher | undefined;
  #watched: number | undefined;
  #digest: string;
  #timer: NodeJS.Timeout | undefined;

  /** Where the folder cannot be watched the log says so, and nothing else happens. */
  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#folder = dirname(options.path);
    this.#digest = digestOf(options.path);
    try {
      this.#watch();
    } catch (error) {
      this.#blind(error);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #watch(): void {
    this.#watcher?.close();
    this.#watched = inodeOf(this.#folder);
    this.#watcher = watch(this.#folder, { persistent: false }, () => this.#later(SETTLE_MS));
    this.#watcher.on('error', (error) => this.#blind(error));
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), ms).unref();
  }

  #compare(): void {
    this.#follow();
    const digest = digestOf(this.#options.path);
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#options.onChange();
  }

  /** Another folder has the name now, or none: then it is waited for. */
  #follow(): void {
    const inode = inodeOf(this.#folder);
    if (inode === undefined) return this.#later(RETURN_MS);
    if (inode === this.#watched) return;
    try {
      this.#watch();
    } catch (error) {
      this.#blind(error);
    }
  }

  #blind(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#options.logger.warn({ code }, 'the configuration file is not watched: SIGHUP loads it again');
  }
}

/** None where it is not there, or nobody may look. */
function inodeOf(folder: string): number | undefined {
  try {
    return statSync(folder).ino;
  } catch {
    return undefined;
  }
}

/** A file that cannot be read is another content. */
function digestOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    return `unreadable: ${String((error as NodeJS.ErrnoException).code)}`;
  }
}
