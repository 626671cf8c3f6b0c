import type { EventReading } from '../dialects/dialect.ts';
import type { SseEvent } from '../sse/sse-event.ts';
import type { StreamFault } from '../sse/stream-fault.ts';

/** Takes what a host's stream says, in order; after `ended` or `failed` nothing more is said. */
export interface HostStreamListener {
  event(event: SseEvent, reading: EventReading): void;
  /** All events of one piece were handed out. */
  flush(): void;
  /** The response is over. @param end its end marker, supplied if the host left it out after a whole response. */
  ended(end: Buffer | undefined): void;
  failed(fault: StreamFault): void;
}
