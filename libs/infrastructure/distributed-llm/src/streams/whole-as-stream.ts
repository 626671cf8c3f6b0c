import { isObject, textOrNone } from '@morgan/foundation';
import type { Dialect, StreamTranslator } from '../dialects/dialect.ts';
import { parseExactly } from '../dialects/exact-json.ts';
import { dataEvent } from '../dialects/openai-shapes.ts';

/** For whom a whole answer becomes a stream. */
export interface WholeAsStreamOptions {
  /** Of the answer. */
  readonly dialect: Dialect;
  readonly wantsUsage: boolean;
  /** For a caller who speaks another dialect. */
  readonly translator?: StreamTranslator | undefined;
}

/**
 * Turns the JSON of a host that does not stream into the complete stream that was asked for: a client that waits for
 * events would take it for an answer without text. Undefined where it is no answer of this dialect.
 */
export function wholeAsStream(
  bytes: Buffer,
  { dialect, wantsUsage, translator }: WholeAsStreamOptions,
): Buffer[] | undefined {
  const json = parsed(bytes);
  const events = isObject(json) ? dialect.eventsOf?.(json) : undefined;
  if (!events) return undefined;
  if (translator) return [...events.flatMap((event) => translator.take(event)), ...translator.end()];
  const wanted = wantsUsage ? events : events.filter((event) => !dialect.readEvent(event).isUsageOnly);
  const end = dialect.endMarker ? [dialect.endMarker] : [];
  return [...wanted.map((event) => dataEvent(event, textOrNone(event['type']))), ...end];
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseExactly(bytes.toString().trim());
  } catch {
    return undefined;
  }
}
