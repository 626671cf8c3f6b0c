import { writeSync } from 'node:fs';
import { type DestinationStream, pino } from 'pino';

/** Lines are written when so many bytes wait. */
const BATCH_BYTES = 8_192;
/** No line waits longer than this, as long as lines can be written. */
const FLUSH_INTERVAL_MS = 100;
/** pino's number for `error`: such a line may be the last that the process gets out. */
const ERROR_LEVEL = 50;
/** What waits at most while nothing can be written; further lines are lost, and counted. */
const MOST_WAITING = 1024 * 1024;
/** Memory for what waits, unless more than that does. */
const ROOM_BYTES = 8 * BATCH_BYTES;
/** A character takes no more in UTF-8; those beyond the first plane count as two. */
const MOST_BYTES_PER_CHARACTER = 3;
/** At its end a process waits so long for somebody to read on, and then ends without its last lines. */
const LAST_WAIT_MS = 1_000;
const RETRY_MS = 10;

/** What became of what waited. `blocked`: the reader is behind; `failed`: the disk is full, the reader is gone. */
type Written = 'all' | 'blocked' | 'failed';

/**
 * Log lines to a file descriptor in batches: one write for many lines, at most {@link FLUSH_INTERVAL_MS} late. Lines of
 * level `error` and all that wait before them leave at once; the rest leaves at exit, after an uncaught error too. Where
 * nothing can be written, the service goes on without its log: 1 MiB waits for better times, what comes then is lost.
 */
export class BatchedOutput implements DestinationStream {
  /** Asks pino to set `lastLevel` before each write. Whoever else writes may leave it. */
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = 0;
  /** One listener for all: Node warns of many. */
  static readonly #all = new Set<BatchedOutput>();
  readonly #fd: number;
  readonly #onLost: (lines: number) => void;
  /** A line is put here at once: its parts are in the caches of the processor as long as it is new. */
  #bytes = Buffer.allocUnsafeSlow(ROOM_BYTES);
  /** What waits is between these. */
  #start = 0;
  #end = 0;
  /** What could not be written a moment ago is tried again by the timer, not by every line. */
  #isStuck = false;
  #lost = 0;

  /**
   * @param fd a file descriptor, standard output by default. One that blocks its writers blocks the process.
   * @param onLost logs how many lines were lost, once there is room for further ones.
   */
  constructor(fd = 1, onLost: (lines: number) => void = () => undefined) {
    this.#fd = fd;
    this.#onLost = onLost;
    setInterval(() => this.#flush(), FLUSH_INTERVAL_MS).unref();
    if (BatchedOutput.#all.size === 0) process.on('exit', () => BatchedOutput.#flushAllAtExit());
    BatchedOutput.#all.add(this);
  }

  write(line: string): void {
    const { lastLevel } = this;
    this.lastLevel = 0;
    if (this.#waiting > MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    // Where they would stand.
    this.#tellLost();
    this.#append(line);
    const isDue = this.#waiting >= BATCH_BYTES || lastLevel >= ERROR_LEVEL;
    if (isDue && !this.#isStuck) this.#flush();
  }

  #append(line: string): void {
    const most = line.length * MOST_BYTES_PER_CHARACTER;
    if (this.#end + most > this.#bytes.length) {
      const roomy = Buffer.allocUnsafeSlow(2 * (this.#waiting + most));
      this.#end = this.#bytes.copy(roomy, 0, this.#start, this.#end);
      this.#start = 0;
      this.#bytes = roomy;
    }
    this.#end += this.#bytes.write(line, this.#end);
  }

  /** By a line of the log, which comes in by {@link write}. */
  #tellLost(): void {
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#onLost(lost);
  }

  #flush(): Written {
    try {
      while (this.#waiting > 0) this.#start += writeSync(this.#fd, this.#bytes, this.#start, this.#waiting);
    } catch (error) {
      this.#isStuck = true;
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'blocked' : 'failed';
    }
    this.#isStuck = false;
    this.#start = 0;
    this.#end = 0;
    if (this.#bytes.length > ROOM_BYTES) this.#bytes = Buffer.allocUnsafeSlow(ROOM_BYTES);
    this.#tellLost();
    return 'all';
  }

  static #flushAllAtExit(): void {
    for (const output of BatchedOutput.#all) output.#flushAtExit();
  }

  #flushAtExit(): void {
    let left = Infinity;
    let until = 0;
    while (this.#flush() === 'blocked' && (this.#waiting < left || performance.now() < until)) {
      if (this.#waiting < left) until = performance.now() + LAST_WAIT_MS;
      left = this.#waiting;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
    // That lines were lost is a line too.
    this.#flush();
  }

  get #waiting(): number {
    return this.#end - this.#start;
  }
}
