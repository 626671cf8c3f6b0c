import type { DialectName, EventReading, TokenUsage } from '../../dialects/dialect.ts';
import type { JsonObject } from '../../dialects/reported-error.ts';
import { CompletionSeam } from './completion-seam.ts';
import { MessageSeam } from './message-seam.ts';

/** Turns the events of a second response into ones that go on with the first: one id, one start, one row of indices. */
export interface Seam {
  /**
   * @param text the new part of the event's text.
   * @param before the counts of the attempts before.
   * @returns none where nothing of the event is new.
   */
  join(
    json: JsonObject,
    reading: EventReading,
    text: string,
    before: TokenUsage | undefined,
  ): JsonObject | undefined;
}

/**
 * The seam behind a response's last event; none where no other can go on: between blocks, or in a dialect whose last event
 * repeats the whole response.
 */
export function seamOf(dialect: DialectName, first: JsonObject, last: JsonObject): Seam | undefined {
  if (dialect === 'chat' || dialect === 'completions') return new CompletionSeam(first);
  return dialect === 'messages' ? MessageSeam.behind(last) : undefined;
}
