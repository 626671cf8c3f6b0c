import { LinkedList } from '@morgan/foundation';
import { PeakEwma } from './peak-ewma.ts';

/** How one call went. The clock is the one of `TargetLoad.begin`. */
export interface CallLoad {
  /** It leaves only now: until then it was in a queue of our own, which says nothing of the target. */
  readonly sent: (now: number) => void;
  /** The first content came. At most once. */
  readonly began: (now: number) => void;
  /** Nothing more will come: in the end, by a fault of the target, or as nobody waits any more. Exactly once. */
  readonly ended: (now: number, isFault: boolean) => void;
}

/** What this process has under way at one target, and how soon the target begins to answer: a `Candidate`'s figures. */
export class TargetLoad {
  readonly #ttft = new PeakEwma();
  /** When each call that has no response yet was sent, the oldest first. */
  readonly #waiting = new LinkedList<number>();
  #inFlight = 0;
  #tokensInFlight = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Prompt tokens of the calls without first content. */
  get tokensInFlight(): number {
    return this.#tokensInFlight;
  }

  /** The average, or longer where a call has been waiting for longer: silence says something before it ends. */
  ttftMsAt(now: number): number | undefined {
    const average = this.#ttft.valueAt(now);
    const { first } = this.#waiting;
    return first === undefined ? average : Math.max(average ?? 0, now - first);
  }

  /** @param now of a clock that never goes back, such as `performance.now()`. */
  begin(promptTokens: number, now: number): CallLoad {
    this.#inFlight += 1;
    this.#tokensInFlight += promptTokens;
    let place = this.#waiting.append(now);
    const stopWaiting = (): boolean => {
      if (!this.#waiting.remove(place)) return false;
      this.#tokensInFlight -= promptTokens;
      return true;
    };
    return {
      sent: (at) => {
        this.#waiting.remove(place);
        place = this.#waiting.append(at);
      },
      began: (at) => {
        if (stopWaiting()) this.#ttft.observe(at - place.item, at);
      },
      ended: (at, isFault) => {
        this.#inFlight -= 1;
        if (!stopWaiting()) return;
        if (isFault) this.#ttft.fail(at);
        else this.#ttft.observeAtLeast(at - place.item, at);
      },
    };
  }
}
