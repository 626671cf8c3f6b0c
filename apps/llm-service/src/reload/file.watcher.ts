import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@morgan/foundation';

/** One save makes several events, and a file may be there before its content is. */
const SETTLE_MS = 200;

/** The longest that further events put a look off: a log in the same folder never settles. */
const MOST_SETTLE_MS = 1_000;

/** How often a folder or a file that is gone is looked for. */
const RETURN_MS = 1_000;

const UNREADABLE = 'unreadable: ';

/** What a watcher of a file works with. */
interface FileWatcherOptions {
  readonly path: string;
  /** Of the content that is in force. Default: of the one that is there now. */
  readonly digest?: string | undefined;
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
  #watched: string | undefined;
  #digest: string;
  #timer: NodeJS.Timeout | undefined;
  /** When the first event came that nobody has looked after yet. */
  #firstAt: number | undefined;

  /** Where the folder cannot be watched the log says so, and nothing else happens. */
  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#folder = dirname(options.path);
    this.#digest = options.digest ?? digestOf(options.path);
    try {
      this.#watch();
    } catch (error) {
      this.#blind(error);
    }
    // What has changed since that content was read, before anybody watched.
    this.#later(SETTLE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #watch(): void {
    this.#watcher?.close();
    this.#watched = placeOf(this.#folder);
    this.#watcher = watch(this.#folder, { persistent: false }, () => this.#settle());
    this.#watcher.on('error', (error) => this.#blind(error));
  }

  #settle(): void {
    this.#firstAt ??= performance.now();
    const left = this.#firstAt + MOST_SETTLE_MS - performance.now();
    if (left > 0) this.#later(Math.min(SETTLE_MS, left));
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), ms).unref();
  }

  #compare(): void {
    this.#firstAt = undefined;
    this.#follow();
    const digest = digestOf(this.#options.path);
    if (digest.startsWith(UNREADABLE)) this.#later(RETURN_MS);
    if (digest === this.#digest) return;
    this.#digest = digest;
    this.#options.onChange();
  }

  /** Another folder has the name now, or none: then it is waited for. */
  #follow(): void {
    const place = placeOf(this.#folder);
    if (place === undefined) return this.#later(RETURN_MS);
    if (place === this.#watched) return;
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

/** Which folder it is: file systems give the number of one that is gone to the next. None where there is none, or nobody may look. */
function placeOf(folder: string): string | undefined {
  try {
    const { ino, birthtimeMs } = statSync(folder);
    return `${ino} ${birthtimeMs}`;
  } catch {
    return undefined;
  }
}

/** Tells one content from another. A file that cannot be read is another content. */
export function digestOf(path: string): string {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch (error) {
    return `${UNREADABLE}${String((error as NodeJS.ErrnoException).code)}`;
  }
}
