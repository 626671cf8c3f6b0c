import type { EventReading } from '../dialects/dialect.ts';
import { firstByte } from '../json/json-bytes.ts';
import type { SseEvent } from '../sse/sse-event.ts';

type ReadEvent = readonly [SseEvent, EventReading];

/** Events without content, but for comments, that may come before the first: each takes far more than its few bytes. */
const MOST_HELD = 10_000;
const OPENING = '{'.charCodeAt(0);

/** What a stream says before anybody listens to it. */
export class HeldEvents {
  #events: ReadEvent[] = [];
  #bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Whether there is more than comments. */
  get saysSomething(): boolean {
    return this.#events.some(([, { isComment }]) => !isComment);
  }

  /** The JSON that stood in the place of events. Of several, as hosts of another API stream them, none is the answer. */
  get json(): Buffer | undefined {
    const [json, ...more] = this.#events.filter(([{ raw }]) => raw[firstByte(raw)] === OPENING);
    return more.length === 0 ? json?.[0].raw : undefined;
  }

  /** @returns false where it is too much. Of comments there may be any number: what does not fit is left out. */
  add(event: SseEvent, reading: EventReading): boolean {
    const isFull = this.#events.length >= MOST_HELD || this.#bytes + event.raw.length > this.maxBytes;
    if (isFull && reading.isComment) return true;
    this.#events.push([event, reading]);
    this.#bytes += event.raw.length;
    return !isFull;
  }

  /** Hands them out. */
  take(): readonly ReadEvent[] {
    return this.#events.splice(0);
  }
}
