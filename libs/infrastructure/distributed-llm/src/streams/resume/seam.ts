import type { JsonObject } from '@morgan/foundation';
import type { EventReading, TokenUsage } from '../../dialects/dialect.ts';

/** Turns the events of a second response into ones that go on with the first: one id, one start, one row of indices. */
export interface Seam {
  /**
   * @param text the new part of the event's text.
   * @param before the counts of the attempts before.
   * @returns what becomes of the event: nothing where nothing of it is new.
   */
  join(
    json: JsonObject,
    reading: EventReading,
    text: string,
    before: TokenUsage | undefined,
  ): readonly JsonObject[];
}
