import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@morgan/foundation';

/** One save makes several events, and a file may be there before its content is. */
const SETTLE_MS = 200;

/** What a watcher of a file works with. */
export interface FileWatcherOptions {
  readonly path: string;
  readonly onChange: () => void;
  readonly logger: Logger;
}

/**
 * Says when the content of a file has changed. It watches the folder, because editors and Kubernetes never write into a
 * file: they put another one, or another link, in its place. Only the content counts; its digest is all that is kept.
 */
export class FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #watcher: FSWatcher | undefined;
  #digest: string;
  #timer: NodeJS.Timeout | undefined;

  /** Where the folder cannot be watched the log says so, and nothing else happens. */
  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#digest = digestOf(options.path);
    try {
      this.#watcher = watch(dirname(options.path), { persistent: false }, () => this.#touched());
      this.#watcher.on('error', (error) => this.#blind(error));
    } catch (error) {
      this.#blind(error);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #touched(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), SETTLE_MS).unref();
  }

  #compare(): void {
    const digest = digestOf(this.#options.path);
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#options.onChange();
  }

  #blind(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#options.logger.warn({ code }, 'the configuration file is not watched: SIGHUP loads it again');
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
