import { milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';
import type { Endpoint } from '../endpoints/endpoint.ts';

/**
 * How long a whole call may take, from the first byte of the request to the last one of the response, every host that is
 * tried included. `x-morgan-deadline-ms` makes it shorter, never longer.
 */
export const callTimeoutsConfig = z
  .strictObject({
    chatStreamMs: setting(milliseconds.default(1_800_000), {
      env: 'CHAT_STREAM_TIMEOUT_MS',
      doc: 'How long a streamed chat completion may take as a whole, in milliseconds; then it is broken off. Callers shorten it with `x-morgan-deadline-ms`.',
    }),
    chatMs: setting(milliseconds.default(600_000), {
      env: 'CHAT_TIMEOUT_MS',
      doc: 'How long a chat completion that is not streamed may take as a whole, all hosts that are tried included, in milliseconds; then 504.',
    }),
    embeddingsMs: setting(milliseconds.default(600_000), {
      env: 'EMBEDDINGS_TIMEOUT_MS',
      doc: 'How long an embedding request may take as a whole, in milliseconds; then 504.',
    }),
    otherMs: setting(milliseconds.default(600_000), {
      env: 'CALL_TIMEOUT_MS',
      doc: 'How long any other call of a host may take as a whole, in milliseconds; then 504, or the stream is broken off.',
    }),
  })
  .prefault({});

export type CallTimeouts = z.output<typeof callTimeoutsConfig>;

/** How long a call of an endpoint may take as a whole, in milliseconds. */
export function timeoutMsOf({ callClass }: Endpoint, isStream: boolean, timeouts: CallTimeouts): number {
  if (callClass === 'embeddings') return timeouts.embeddingsMs;
  if (callClass !== 'chat') return timeouts.otherMs;
  return isStream ? timeouts.chatStreamMs : timeouts.chatMs;
}
