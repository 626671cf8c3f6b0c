import type { JsonObject } from '@morgan/foundation';
import type { Dialect, StreamTranslator } from '../dialects/dialect.ts';
import { EventReader } from '../dialects/event-reader.ts';
import { parseExactly } from '../json/exact-json.ts';
import type { HostStreamListener } from './host-stream.listener.ts';
import type { HostStream } from './host-stream.ts';
import { SseEvent } from '../sse/sse-event.ts';
import { streamFaultOf } from '../sse/stream-fault.ts';

/** A response that streams, whoever tells it. */
export type ResponseStream = Pick<
  HostStream,
  'start' | 'pause' | 'resume' | 'destroy' | 'malformed' | 'usage'
>;

/** What a host streams in one dialect, as the events of another. */
export class TranslatedStream implements ResponseStream {
  readonly #stream: HostStream;
  readonly #translator: StreamTranslator;
  readonly #reader: EventReader;

  /** @param to the dialect of the translator's events. */
  constructor(stream: HostStream, translator: StreamTranslator, to: Dialect) {
    this.#stream = stream;
    this.#translator = translator;
    this.#reader = new EventReader(to);
  }

  get malformed(): number {
    return this.#stream.malformed;
  }

  get usage(): HostStream['usage'] {
    return this.#stream.usage;
  }

  start(listener: HostStreamListener): void {
    this.#stream.start({
      event: (event, reading) => {
        if (reading.isComment) return listener.event(event, reading);
        const json = parseExactly(event.data ?? '') as JsonObject;
        this.#tell(this.#translator.take(json), listener);
      },
      flush: () => listener.flush(),
      ended: () => this.#end(listener),
      failed: (fault) => listener.failed(fault),
    });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #end(listener: HostStreamListener): void {
    let end: Buffer | undefined;
    try {
      end = this.#tell(this.#translator.end(), listener);
    } catch (fault) {
      return listener.failed(streamFaultOf(fault));
    }
    listener.ended(end);
  }

  /** @returns the end marker, where it is among them. */
  #tell(events: readonly Buffer[], listener: HostStreamListener): Buffer | undefined {
    let end: Buffer | undefined;
    for (const raw of events) {
      const event = new SseEvent(raw);
      const reading = this.#reader.read(event);
      if (reading.isEnd) end = raw;
      else listener.event(event, reading);
    }
    return end;
  }
}
