import type { JsonObject } from '@morgan/foundation';
import type { Dialect, EventReading } from '../dialects/dialect.ts';
import { parseExactly } from '../dialects/exact-json.ts';
import { dataEvent } from '../dialects/openai-shapes.ts';
import { SseEvent } from './sse-event.ts';

/**
 * An event that has the form of a whole response, or counts beside no list of choices, as one of a stream. Undefined: it has that
 * form already.
 */
export function inEventForm(
  event: SseEvent,
  { content = 'other', isUsageOnly }: EventReading,
  { eventOf }: Dialect,
): SseEvent | undefined {
  // Nearly all events are texts, which have it: those are not even decoded.
  if (!eventOf || content !== 'other') return undefined;
  const { data } = event;
  if (data === undefined || !(isUsageOnly || data.includes('"message"'))) return undefined;
  const told = eventOf(parseExactly(data) as JsonObject);
  return told && new SseEvent(dataEvent(told, event.type));
}
