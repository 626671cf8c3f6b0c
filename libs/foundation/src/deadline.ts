/**
 * The moment by which a call must be over. It is set once, at the edge, and everything the call waits for respects it:
 * queues, attempts, back-off, the next service. Measured on the monotonic clock (`performance.now()`).
 */
export class Deadline {
  private constructor(
    /** Milliseconds on the monotonic clock of this process. */
    readonly at: number,
  ) {}

  /** @param ms how long the call may take from now on, in milliseconds. */
  static after(ms: number): Deadline {
    return new Deadline(performance.now() + ms);
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
