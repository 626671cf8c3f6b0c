import { type DestinationStream, pino } from 'pino';

/** Lines are written when so many bytes wait. Below sonic-boom's largest single write, so that one write takes all of them. */
const BATCH_BYTES = 8_192;
/** No line waits longer than this. */
const FLUSH_INTERVAL_MS = 100;
/** pino's number for `error`: such a line may be the last that the process gets out. */
const ERROR_LEVEL = 50;

/**
 * Log lines to a file descriptor in batches: one write for many lines, at most {@link FLUSH_INTERVAL_MS} late. Lines of
 * level `error` and all that wait before them leave at once; the rest leaves at exit, after an uncaught error too. Only a
 * process that is killed outright loses what waited.
 */
export class BatchedOutput implements DestinationStream {
  /** Asks pino to set `lastLevel` before each write. */
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = 0;
  readonly #output;

  /** @param fd a file descriptor, standard output by default. */
  constructor(fd = 1) {
    this.#output = pino.destination({
      fd,
      sync: true,
      minLength: BATCH_BYTES,
      periodicFlush: FLUSH_INTERVAL_MS,
    });
    process.on('exit', () => this.#output.flushSync());
  }

  write(line: string): void {
    this.#output.write(line);
    if (this.lastLevel >= ERROR_LEVEL) this.#output.flush();
  }
}
