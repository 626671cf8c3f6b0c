import { isObject, textOrNone } from '@morgan/foundation';
import { readableBody } from '@morgan/http-transport';
import type { Dialect, StreamTranslator } from '../dialects/dialect.ts';
import { parseExactly } from '../json/exact-json.ts';
import { dataEvent } from '../dialects/openai-shapes.ts';
import { HostStream } from './host-stream.ts';
import { WholeBody } from './whole-body.ts';

/** What a whole answer is turned into a stream with. */
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

/** Events that are here as a whole as the stream of a host that goes on with what another one has begun. */
export function toldStream(events: Buffer, dialect: Dialect): HostStream {
  const limits = {
    firstContentMs: Infinity,
    stallMs: Infinity,
    finishMs: Infinity,
    maxEventBytes: events.length,
  };
  return new HostStream(readableBody(new WholeBody(events)), { dialect, limits, mayBeEmpty: true });
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseExactly(bytes.toString().trim());
  } catch {
    return undefined;
  }
}
