import type { EventReading, TokenUsage } from '../dialects/dialect.ts';
import { saysNothing } from '../dialects/event-reader.ts';

/** What the events of a response have told of its end so far: choices that are finished, why, and tokens. */
export class ResponseProgress {
  #usage: TokenUsage | undefined;
  #finishReason: string | undefined;
  #finished = 0;
  /** The finished choices, where the host names them. */
  #finishedAt: Set<unknown> | undefined;
  #needsEnd: boolean;
  #isCounted = false;

  /**
   * @param choices how many the response has.
   * @param needsEnd whether it is over only where it says so, whatever its events say.
   */
  constructor(
    private readonly choices: number,
    needsEnd: boolean,
  ) {
    this.#needsEnd = needsEnd;
  }

  /** The tokens that the host has counted. */
  get usage(): TokenUsage | undefined {
    return this.#usage;
  }

  get hasFinishedChoice(): boolean {
    return this.#finished > 0;
  }

  get isFinished(): boolean {
    return this.#finished >= this.choices;
  }

  /** Whether the host says that it has answered, and has not written a token. */
  get saysNothing(): boolean {
    return saysNothing(this.#usage, this.#finishReason);
  }

  /** Whether something has to come that says that the response is over. */
  get needsEnd(): boolean {
    return this.#needsEnd;
  }

  /** Whether the host has counted the response behind all of it, as hosts do at its end, and names no reasons to stop. */
  get isCounted(): boolean {
    return this.#isCounted && !this.hasFinishedChoice;
  }

  add({ content, isUsageOnly, usage, finished, finishedAt, finishReason, isPart }: EventReading): void {
    this.#isCounted = content === undefined && (this.#isCounted || (isUsageOnly && (usage?.output ?? 0) > 0));
    this.#needsEnd = isPart ?? this.#needsEnd;
    this.#finishReason = finishReason ?? this.#finishReason;
    if (usage) this.#usage = { ...this.#usage, ...usage };
    // Who says it of more choices than were asked for says nothing new with them.
    for (const index of finishedAt) {
      this.#finishedAt ??= new Set();
      if (this.#finishedAt.size < this.choices) this.#finishedAt.add(index);
    }
    this.#finished = this.#finishedAt?.size ?? this.#finished + finished;
  }
}

/** Whether an event has something of a response, or of its end: some hosts go on with empty ones behind that. */
export function addsToResponse({ content, usage, finished }: EventReading): boolean {
  return content !== undefined || usage !== undefined || finished > 0;
}
