import { LinkedList } from '@morgan/foundation';
import { FailurePenalties } from './failure-penalties.ts';
import { PeakEwma } from './peak-ewma.ts';

/** What has failed: at least the model that was asked for, or whatever is asked for. */
export type TargetFault = 'model' | 'target';

/** How one call went. The clock is the one of `TargetLoad.begin`. */
export interface CallLoad {
  /** The call is sent only now. Until then it was in a queue of ours, which is no time of the target's. */
  readonly sent: (now: number) => void;
  /** The first content came. At most once. */
  readonly began: (now: number) => void;
  /**
   * Nothing more will come: in the end, by a fault of the target, or as nobody waits any more. Exactly once.
   * @param fault what it may be a fault of: what was asked for, or the target as a whole.
   */
  readonly ended: (now: number, fault: TargetFault | undefined) => void;
  /** The fault was not the target's: what it changed in the expected time is taken back. */
  readonly excused: () => void;
}

/** What this process has under way at one target, and how soon the target begins to answer: a `Candidate`'s figures. */
export class TargetLoad {
  readonly #ttft = new PeakEwma();
  readonly #penalties = new FailurePenalties();
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

  /** The average, or longer where such calls failed or one has been waiting for longer: silence says something before it ends. */
  ttftMsAt(now: number, model?: string): number | undefined {
    const expected = this.#expectedMs(now, model);
    const { first } = this.#waiting;
    return first === undefined ? expected : Math.max(expected ?? 0, now - first);
  }

  #expectedMs(now: number, model: string | undefined): number | undefined {
    const average = this.#ttft.valueAt(now);
    const penaltyMs = this.#penalties.msAt(now, model);
    return penaltyMs === 0 ? average : Math.max(average ?? 0, penaltyMs);
  }

  /** @param now of a clock that never goes back, such as `performance.now()`. */
  begin(promptTokens: number, now: number, model?: string): CallLoad {
    this.#inFlight += 1;
    this.#tokensInFlight += promptTokens;
    let place = this.#waiting.append(now);
    let takeBack: (() => void) | undefined;
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
        if (!stopWaiting()) return;
        this.#ttft.observe(at - place.item, at);
        this.#penalties.forgive(model);
      },
      ended: (at, fault) => {
        this.#inFlight -= 1;
        if (!stopWaiting()) return;
        if (fault)
          takeBack = this.#penalties.add(this.#expectedMs(at, model) ?? 0, at, model, fault === 'target');
        else this.#ttft.observeAtLeast(at - place.item, at);
      },
      excused: () => takeBack?.(),
    };
  }
}
