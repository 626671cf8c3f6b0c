import { AppError, type Logger, Waiter } from '@morgan/foundation';
import type { BodyConfig } from '../body/body.config.ts';
import { BodyCharge } from './body-charge.ts';
import { CallerShares } from './caller-shares.ts';

/** Which limit a call met. `caller_calls`: what its caller may have of the calls; `queue_timeout`: there was no room for its body in time. */
export const REFUSAL_REASONS = ['calls', 'caller_calls', 'body_bytes', 'queue_timeout'] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Hears of every refusal. */
export interface AdmissionObserver {
  refused(reason: RefusalReason): void;
}

/** The settings that {@link Admission} goes by. */
export type AdmissionOptions = Pick<
  BodyConfig,
  'maxCalls' | 'maxBytes' | 'smallBytes' | 'smallShare' | 'queueTimeoutMs'
> & {
  /** How many callers can be told apart now. Default: 1. */
  readonly callers?: (() => number) | undefined;
};

/** Who asks for room. */
interface AdmissionAsk {
  /** Takes a call that waits out of the line. */
  readonly signal: AbortSignal;
  /** Whose call it is, where callers are told apart. */
  readonly caller?: string | undefined;
}

/** What is waited for. */
interface Wanted {
  /** Of the call, by which it is large or small. */
  readonly bytes: number;
  /** What is not charged yet of them. */
  readonly more: number;
  /** Whether the call is in already: what it holds is free the sooner, the sooner it is over. */
  readonly isIn: boolean;
}

/** Between two log lines about refusals. */
const LOG_INTERVAL_MS = 10_000;

/**
 * Lets calls in before their bodies are read, as long as the bodies in memory and the calls themselves are within their
 * limits. A call without room waits in line, then is refused. Small bodies pass the large ones that wait, and have a
 * share of both limits to themselves: a flood of large ones leaves them alone.
 */
export class Admission {
  #calls = 0;
  #bytes = 0;
  /** In the order in which they came. */
  readonly #waiting = new Map<Waiter, Wanted>();
  readonly #shares: CallerShares;
  #unlogged = 0;
  #loggedAt = -Infinity;

  constructor(
    private readonly options: AdmissionOptions,
    private readonly logger: Logger,
    private readonly observer: AdmissionObserver,
  ) {
    this.#shares = new CallerShares(options.callers ?? (() => 1));
  }

  /** Bytes of bodies that are held, as their calls have announced them or as they have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Calls that wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @param bytes how long the body is; 0 where nobody knows, it is charged as it comes then.
   * @returns at once where there is room.
   * @throws AppError `overloaded`, `rate_limited`; the reason of the signal when it is aborted while the call waits
   */
  enter(bytes: number, { signal, caller = '' }: AdmissionAsk): BodyCharge | Promise<BodyCharge> {
    if (this.#calls >= this.#limit(this.options.maxCalls, bytes)) throw this.#refuse('calls');
    if (this.#shares.isUsedUp(caller, this.options.maxCalls - this.#calls))
      throw this.#refuse('caller_calls', this.#shares.countOf(caller));
    this.#calls += 1;
    this.#shares.enter(caller);
    const wanted = { bytes, more: bytes, isIn: false };
    if (!this.#mustWait(wanted)) return this.#charge(bytes, caller);
    return this.#wait(wanted, signal, () => this.#leave(caller)).then(() => this.#chargeOf(bytes, caller));
  }

  #leave(caller: string): void {
    this.#calls -= 1;
    this.#shares.leave(caller);
  }

  /** Resolves when it is charged. */
  #wait(wanted: Wanted, signal: AbortSignal, giveUp?: () => void): Promise<void> {
    const waiter = new Waiter(signal, (leaving, why) => {
      this.#waiting.delete(leaving);
      giveUp?.();
      leaving.refuse(why === 'aborted' ? signal.reason : this.#refuse('queue_timeout'));
    });
    waiter.limit(this.options.queueTimeoutMs);
    this.#waiting.set(waiter, wanted);
    return waiter.turn;
  }

  #charge(bytes: number, caller: string): BodyCharge {
    this.#bytes += bytes;
    return this.#chargeOf(bytes, caller);
  }

  /** Of what is counted already. */
  #chargeOf(bytes: number, caller: string): BodyCharge {
    return new BodyCharge(bytes, {
      add: (from, asked, signal) => {
        // What is more than there can ever be goes alone.
        const more = Math.max(0, Math.min(asked, this.#limit(this.options.maxBytes, from + asked) - from));
        const wanted = { bytes: from + more, more, isIn: true };
        if (this.#mustWait(wanted)) return this.#wait(wanted, signal).then(() => more);
        this.#bytes += more;
        return more;
      },
      grow: (from, to) => {
        if (!this.#fits(to, to - from)) throw this.#refuse('body_bytes');
        this.#bytes += to - from;
      },
      shrink: (freed) => {
        this.#bytes -= freed;
        this.#admitWaiting();
      },
      release: (held) => {
        this.#bytes -= held;
        this.#leave(caller);
        this.#admitWaiting();
      },
    });
  }

  /** In their order, but for small ones and calls that are in, which pass a large one that still has no room. */
  #admitWaiting(): void {
    let isLargeBlocked = false;
    for (const [waiter, { bytes, more, isIn }] of this.#waiting) {
      const isLarge = this.#isLarge(bytes) && !isIn;
      if ((isLarge && isLargeBlocked) || !this.#fits(bytes, more)) isLargeBlocked ||= isLarge;
      else {
        this.#waiting.delete(waiter);
        this.#bytes += more;
        waiter.admit();
      }
    }
  }

  #mustWait({ bytes, more, isIn }: Wanted): boolean {
    if (!this.#fits(bytes, more)) return true;
    if (isIn || !this.#isLarge(bytes)) return false;
    for (const other of this.#waiting.values()) if (this.#isLarge(other.bytes)) return true;
    return false;
  }

  #fits(bytes: number, more: number): boolean {
    return this.#bytes + more <= this.#limit(this.options.maxBytes, bytes);
  }

  #limit(whole: number, bytes: number): number {
    return this.#isLarge(bytes) ? Math.floor(whole * (1 - this.options.smallShare)) : whole;
  }

  #isLarge(bytes: number): boolean {
    return bytes > this.options.smallBytes;
  }

  #refuse(reason: RefusalReason, underWay = 0): AppError {
    this.observer.refused(reason);
    this.#unlogged += 1;
    const now = performance.now();
    if (now - this.#loggedAt >= LOG_INTERVAL_MS) {
      const fields = { reason, refused: this.#unlogged, calls: this.#calls, bodyBytes: this.#bytes };
      this.logger.warn(
        { ...fields, waiting: this.waiting },
        'calls are refused: the limits of this service are reached',
      );
      this.#loggedAt = now;
      this.#unlogged = 0;
    }
    // Others are served: it is this caller who has too much under way.
    const code = reason === 'caller_calls' ? 'rate_limited' : 'overloaded';
    return new AppError(code, this.#explain(reason, underWay), { retryAfterMs: retryAfterMs() });
  }

  #explain(reason: RefusalReason, underWay: number): string {
    const { maxCalls, maxBytes } = this.options;
    if (reason === 'caller_calls')
      return `Your API key has ${underWay} requests under way, and what is free is left to others. Try again later.`;
    return reason === 'calls'
      ? `This service answers at most ${maxCalls} requests at a time. Try again later.`
      : `This service holds at most ${maxBytes} bytes of request bodies and of their answers at a time. Try again later.`;
  }
}

/** One to three seconds, so that those who were refused together do not come back together. */
function retryAfterMs(): number {
  return 1_000 + Math.floor(Math.random() * 2_000);
}
