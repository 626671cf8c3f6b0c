import type { ResponseContent } from './response-content.ts';
import type { StreamFault } from './fault.ts';

/** How a response stops: as it should, by closing or resetting its connection, or not at all. */
export type Stop = 'end' | 'cut' | 'reset' | 'stall';

/** What really is sent, and what comes after it. */
interface Delivery {
  readonly pieces: readonly string[];
  readonly stop: Stop;
}

const DONE = 'data: [DONE]\n\n';
const MALFORMED = 'data: {"choices":[{"simulated\n\n';
const FAILURE = JSON.stringify({
  error: {
    message: 'The simulated host fails, as it was told to.',
    type: 'server_error',
    param: null,
    code: 500,
  },
});

/** The events of a response with its fault, if it has one. */
export function eventsOf(content: ResponseContent, fault: StreamFault | undefined): Delivery {
  const { end = DONE } = content;
  const events = content.events();
  const before = fault && 'afterChunks' in fault ? events.slice(0, fault.afterChunks) : events;
  const rest = events.slice(before.length);
  switch (fault?.kind) {
    case undefined:
      return { pieces: [...events, end], stop: 'end' };
    case 'no-end-marker':
      return { pieces: events, stop: 'end' };
    case 'wrong-usage':
      return { pieces: [...events, end].map(miscounted), stop: 'end' };
    case 'malformed-event':
      return { pieces: [...before, MALFORMED, ...rest, end], stop: 'end' };
    case 'error-in-stream':
      return { pieces: [...before, failureEvent(content)], stop: 'end' };
    case 'stall-in-stream':
    case 'cut-in-stream':
    case 'reset-in-stream':
    case 'end-in-stream':
      return { pieces: before, stop: STOP_OF[fault.kind] };
  }
}

/** The JSON of a response with its fault. One that comes in the middle leaves half of it, or nothing at its start. */
export function bodyOf(body: string, fault: StreamFault | undefined, failure: string | undefined): Delivery {
  switch (fault?.kind) {
    case undefined:
    case 'no-end-marker':
      return { pieces: [body], stop: 'end' };
    case 'wrong-usage':
      return { pieces: [miscounted(body)], stop: 'end' };
    case 'error-in-stream':
      return { pieces: [failure ?? FAILURE], stop: 'end' };
    case 'malformed-event':
      return { pieces: [body.slice(0, body.length / 2)], stop: 'end' };
    case 'stall-in-stream':
    case 'cut-in-stream':
    case 'reset-in-stream':
    case 'end-in-stream':
      return {
        pieces: fault.afterChunks > 0 ? [body.slice(0, body.length / 2)] : [],
        stop: STOP_OF[fault.kind],
      };
  }
}

const STOP_OF = {
  'stall-in-stream': 'stall',
  'cut-in-stream': 'cut',
  'reset-in-stream': 'reset',
  'end-in-stream': 'end',
} as const;

function failureEvent({ failure }: ResponseContent): string {
  return failure === undefined ? `data: ${FAILURE}\n\n` : `event: error\ndata: ${failure}\n\n`;
}

function miscounted(text: string): string {
  return text.replace(/"(prompt|completion|total|input|output)_tokens":\d+/g, '"$1_tokens":999999');
}
