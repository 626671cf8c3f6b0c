import { MAX_TIMER_MS } from '@morgan/foundation';
import { StreamFault, type StreamFaultReason } from '../sse/stream-fault.ts';

/** What a stream may take, in milliseconds, and the most that one of its events may have. */
export interface StreamLimits {
  /** From the request to the first text, reasoning or tool call. */
  readonly firstContentMs: number;
  /** Silence between two events after that. Comments are silence. */
  readonly stallMs: number;
  /** Silence after the last choice is complete, before the end marker is supplied. */
  readonly finishMs: number;
  readonly maxEventBytes: number;
}

/** How far a stream has come: before its first content, with content, behind its last choice, ended. */
export type StreamState = 'waiting' | 'content' | 'finished' | 'over';

/**
 * The limits of one stream on one timer, which is set anew only when it fires or another limit takes over: an event costs
 * no more than reading the clock.
 */
export class StreamClock {
  #phase: StreamState = 'waiting';
  #timer: NodeJS.Timeout | undefined;
  #progressAt: number;
  #isPaused = false;

  /** @param startedAt by `performance.now()`. */
  constructor(
    private readonly limits: StreamLimits,
    private readonly startedAt: number,
    private readonly late: (fault: StreamFault) => void,
  ) {
    this.#progressAt = startedAt;
    this.#arm();
  }

  /** Something of the response has come. */
  progress(): void {
    this.#progressAt = performance.now();
  }

  enter(phase: StreamState): void {
    this.#phase = phase;
    if (phase !== 'over') this.#arm();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** No limit counts until {@link resume}. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#progressAt = performance.now();
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), clamp(this.#due() - performance.now()));
  }

  #check(): void {
    if (this.#isPaused) return;
    if (performance.now() < this.#due()) return this.#arm();
    if (this.#phase === 'waiting')
      this.#fail('first_content_timeout', 'without content', this.limits.firstContentMs);
    else this.#fail('stalled', 'silent', this.limits.stallMs);
  }

  #fail(reason: StreamFaultReason, what: string, limitMs: number): void {
    this.late(new StreamFault(reason, `The stream was longer ${what} than the limit of ${limitMs} ms.`));
  }

  #due(): number {
    if (this.#phase === 'waiting') return this.startedAt + this.limits.firstContentMs;
    return this.#progressAt + (this.#phase === 'finished' ? this.limits.finishMs : this.limits.stallMs);
  }
}

function clamp(ms: number): number {
  return Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(ms)));
}
