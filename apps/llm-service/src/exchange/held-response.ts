import type { HostResponse } from '@morgan/distributed-llm';
import { AppError, Pieces } from '@morgan/foundation';

/** What a response is held within. */
export interface ResponseRoom {
  /** The most bytes that one may have. */
  readonly limitBytes: number;
  /** Hears how many bytes there are so far, before they are more. @throws AppError `overloaded` where there is no room for them. */
  readonly grow: (bytes: number) => void;
}

/**
 * All of a response that the gateway has to read itself, where others pass as they come: a host chooses how long it is.
 * @throws AppError `host_error` where it is longer than the limit; the fault of the body.
 */
export async function heldResponse(
  { whole, body, host }: Pick<HostResponse, 'whole' | 'body' | 'host'>,
  { limitBytes, grow }: ResponseRoom,
): Promise<Buffer> {
  if (whole) return whole;
  const pieces = new Pieces();
  // Leaving the loop destroys the body, and so its connection.
  for await (const piece of body as AsyncIterable<Buffer>) {
    pieces.push(piece);
    if (pieces.length > limitBytes) throw tooLong(host, limitBytes);
    grow(pieces.length);
  }
  return pieces.whole();
}

function tooLong(host: string, limitBytes: number): AppError {
  return new AppError(
    'host_error',
    `The host ${host} gave an answer of more than ${limitBytes} bytes, which is the limit of an answer that has to be translated.`,
  );
}
