import { AppError, type JsonObject } from '@morgan/foundation';
import {
  askedMessage,
  dialectOf,
  MessageEvents,
  readBody,
  StreamFault,
  type TokenUsage,
  wholeAsStream,
} from '@morgan/llm-protocol';
import { asBuffer } from './message-body.ts';
import { withinStack } from './within-stack.ts';

/** What stream a whole response is to become. */
export interface StreamWanted {
  /** That the host was asked on. */
  readonly path: string;
  readonly wantsUsage: boolean;
  /** Where the caller asked for a message: what of it has to be known to tell its response. */
  readonly message?: JsonObject | undefined;
}

/** The whole stream, and what the response says of itself. */
export interface JsonAsStream {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly id: string | undefined;
  readonly usage: TokenUsage | undefined;
}

/**
 * The JSON of a host that does not stream as the stream that was asked for. None where it is no answer.
 * @throws AppError `host_error` about what cannot be told.
 */
export function jsonAsStream(
  response: Uint8Array,
  { path, wantsUsage, message }: StreamWanted,
): JsonAsStream | undefined {
  const [bytes, dialect] = [asBuffer(response), dialectOf(path)];
  const translator = message && new MessageEvents(askedMessage(message));
  try {
    const events = withinStack(() => wholeAsStream(bytes, { dialect, wantsUsage, translator }));
    if (!events) return undefined;
    const { id, usage } = readBody(dialect, bytes) ?? {};
    return { bytes: Uint8Array.from(Buffer.concat(events)), id, usage };
  } catch (cause) {
    if (!(cause instanceof StreamFault)) throw cause;
    throw new AppError('host_error', cause.message, { cause });
  }
}
