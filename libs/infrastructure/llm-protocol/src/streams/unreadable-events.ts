import { StreamFault } from '../sse/stream-fault.ts';

/** Finding out that an event cannot be read takes longer than reading it would: more in a row are no stream. */
const MOST_IN_A_ROW = 1_000;

/** The events of a stream that could not be read and were left out. */
export class UnreadableEvents {
  #inARow = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns what is wrong with the stream where there are too many of them. */
  add(): StreamFault | undefined {
    this.#count += 1;
    this.#inARow += 1;
    if (this.#inARow <= MOST_IN_A_ROW) return undefined;
    return new StreamFault(
      'host_error',
      `The host sent ${this.#inARow} events in a row that cannot be read.`,
    );
  }

  /** There was one that could be read. */
  interrupt(): void {
    this.#inARow = 0;
  }
}
