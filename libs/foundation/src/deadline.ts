import { MAX_TIMER_MS } from './timer.ts';

/**
 * The moment by which a call must be over. It is set once, at the edge, and everything the call waits for respects it:
 * queues, attempts, back-off, the next service. Measured on the monotonic clock (`performance.now()`).
 */
export class Deadline {
  /** The header that carries what is left of a call's time to the next service, in whole milliseconds. */
  static readonly HEADER = 'x-morgan-deadline-ms';

  private constructor(
    /** Milliseconds on the monotonic clock of this process. */
    readonly at: number,
  ) {}

  /**
   * @param moment in milliseconds on the monotonic clock, `performance.now()`.
   * @throws RangeError for NaN: nothing would ever be after it, and every timer would fire at once.
   */
  static at(moment: number): Deadline {
    if (Number.isNaN(moment)) throw new RangeError('a deadline must be a number of milliseconds');
    return new Deadline(moment);
  }

  /** @param ms how long the call may take from now on, in milliseconds. @throws RangeError for NaN. */
  static after(ms: number): Deadline {
    return Deadline.at(performance.now() + ms);
  }

  /**
   * Reads {@link HEADER}. Longer times count as {@link MAX_TIMER_MS}, 0 is a deadline that has passed; what is not a
   * number of milliseconds in digits, a repeated header too, is none: a broken header must not end a call. Of other languages a
   * whole number comes as `30000.0`.
   */
  static fromHeader(value: string | readonly string[] | undefined): Deadline | undefined {
    if (typeof value !== 'string' || !/^\d+(\.\d+)?$/.test(value)) return undefined;
    return Deadline.after(Math.min(Number(value), MAX_TIMER_MS));
  }

  /** The value of {@link HEADER}, rounded down so that the next service never has more time than this one. */
  toHeader(): string {
    return String(Math.min(Math.floor(this.remainingMs()), MAX_TIMER_MS));
  }

  /** Milliseconds that are left; 0 when it has passed. */
  remainingMs(): number {
    return Math.max(0, this.at - performance.now());
  }

  get passed(): boolean {
    return performance.now() >= this.at;
  }

  /** Whether a wait of so many milliseconds would end in time. */
  allows(waitMs: number): boolean {
    return performance.now() + waitMs < this.at;
  }

  /** The nearer one of two deadlines, either of which may be missing. */
  static nearest(left: Deadline | undefined, right: Deadline | undefined): Deadline | undefined {
    if (!left || !right) return left ?? right;
    return left.at <= right.at ? left : right;
  }
}
