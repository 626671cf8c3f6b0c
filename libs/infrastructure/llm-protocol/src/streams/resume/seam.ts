import type { JsonObject } from '@morgan/foundation';
import type { EventReading, TokenUsage } from '../../dialects/dialect.ts';

/** What an event of a second response says. */
export interface FreshText {
  /** The new part of its text. */
  readonly text: string;
  /** Whether what was sent of the first response has not been repeated to its end yet. */
  readonly isRepeating: boolean;
}

/** Turns the events of a second response into ones that go on with the first: one id, one start, one row of indices. */
export interface Seam {
  /**
   * @param before the counts of the attempts before.
   * @returns what becomes of the event: nothing where nothing of it is new.
   */
  join(
    json: JsonObject,
    reading: EventReading,
    fresh: FreshText,
    before: TokenUsage | undefined,
  ): readonly JsonObject[];
}
