import { atEndOfTurn } from '@morgan/foundation';
import { type ReportedError, withTexts } from '@morgan/host-errors';
import type { BodyFlow, BodySource } from '@morgan/http-transport';
import type { Dialect, EventReading, TokenUsage } from '../dialects/dialect.ts';
import { EventReader } from '../dialects/event-reader.ts';
import { HeldEvents } from './held-events.ts';
import { EventForm } from './event-form.ts';
import type { HostStreamListener } from './host-stream.listener.ts';
import { TrailingError } from './trailing-error.ts';
import { addsToResponse, ResponseProgress } from './response-progress.ts';
import { SseEvent } from '../sse/sse-event.ts';
import { SseReader } from '../sse/sse-reader.ts';
import { StreamClock, type StreamLimits, type StreamState } from './stream-clock.ts';
import { reportedFault, StreamFault, streamFaultOf } from '../sse/stream-fault.ts';
import { UnreadableEvents } from './unreadable-events.ts';

/** What a host's stream is read with. */
export interface HostStreamOptions {
  readonly dialect: Dialect;
  readonly limits: StreamLimits;
  /** How many choices the response has. Default 1. */
  readonly choices?: number;
  /** Whether a body that ends cleanly, but before its response did, is taken for a response. Default false. */
  readonly acceptUnfinished?: boolean;
  /** Whether a host that says that it has nothing to say is believed: the rest of an answer may be nothing. Default false. */
  readonly mayBeEmpty?: boolean;
  /** Of a response that is no stream: whether one without a byte is one. Default false. */
  readonly mayBeNothing?: boolean;
  /** When the request was sent, by `performance.now()`; the limits count from it. Default now. */
  readonly startedAt?: number;
  /** Takes what callers must not read out of the words of the host. */
  readonly withoutSecrets?: (text: string) => string;
}

/** How a host's stream came out: a whole response, or broken; `undefined` where nobody wanted the rest. */
type StreamEnd = 'whole' | StreamFault | undefined;

const BLANK_LINE = Buffer.from('\n\n');
/** An end marker as clients look for it. Of one in another spelling or with white space the caller gets the usual one. */
const USUAL_MARKER = /^(\[DONE\]$|\{)/;

/**
 * The response that a host streams, held to the stream contract (docs/streaming.md): it has content in time, does not fall
 * silent, and is a whole response or a {@link StreamFault}. Until the first content nothing is handed out, so that the
 * call can still go elsewhere; the body rests from then on until there is a listener.
 */
export class HostStream {
  readonly #body: BodyFlow;
  readonly #options: HostStreamOptions;
  readonly #sse: SseReader;
  readonly #reader: EventReader;
  readonly #clock: StreamClock;
  readonly #opened = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<StreamEnd>();
  readonly #held: HeldEvents;
  #listener: HostStreamListener | undefined;
  #state: StreamState = 'waiting';
  /** The host says of every event that it is the last: only its end marker, or the end of the body, is one. */
  #saysEndTooSoon = false;
  #outcome: { readonly end: Buffer | undefined } | { readonly fault: StreamFault } | undefined;
  /** Whether there is content, or an end that makes it a response without any. */
  #isOpen = false;
  readonly #progress: ResponseProgress;
  readonly #trailingError: TrailingError;
  readonly #form: EventForm;
  /** Whether the piece that is being read has more than comments. */
  #hasProgress = false;
  readonly #unreadable = new UnreadableEvents();

  constructor(body: BodySource, options: HostStreamOptions) {
    this.#options = options;
    this.#progress = new ResponseProgress(options.choices ?? 1, options.dialect.hasEnd);
    this.#trailingError = new TrailingError(options.dialect);
    this.#form = new EventForm(options.dialect);
    this.#sse = new SseReader(options.limits.maxEventBytes);
    this.#held = new HeldEvents(options.limits.maxEventBytes);
    this.#reader = new EventReader(options.dialect);
    this.#clock = new StreamClock(options.limits, options.startedAt ?? performance.now(), (fault) =>
      this.#onFault(fault),
    );
    this.#opened.promise.catch(() => undefined);
    this.#body = body.into({
      push: (chunk) => this.#onData(chunk),
      end: () => this.#onEnd(),
      fail: (fault) => this.#onCut(fault),
    });
    this.#body.resume();
  }

  /** Events that could not be read and were left out. */
  get malformed(): number {
    return this.#unreadable.count;
  }

  /** What the host has counted so far. */
  get usage(): TokenUsage | undefined {
    return this.#progress.usage;
  }

  /** Resolves when content has come, or a whole response without any. @throws StreamFault when neither comes. */
  opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** The JSON that stood in the place of events, where nothing else has come. */
  get json(): Buffer | undefined {
    return this.#held.json;
  }

  /** Resolves when the listener has everything, or nobody wants the rest. */
  get over(): Promise<StreamEnd> {
    return this.#over.promise;
  }

  /** Hands out what has been held back, and everything that follows. */
  start(listener: HostStreamListener): void {
    this.#listener = listener;
    const before = this.#outcome;
    try {
      this.#held.take().forEach(([event, reading]) => this.#listener?.event(event, reading));
    } catch (fault) {
      this.#fail(streamFaultOf(fault));
    }
    if (!this.#listener || this.#outcome !== before) return;
    if (this.#outcome) return this.#report(listener);
    this.resume();
    listener.flush();
  }

  /** The listener cannot take more: the host is held back, and its silence is not its own. */
  pause(): void {
    if (this.#state === 'over') return;
    this.#clock.pause();
    this.#body.pause();
  }

  resume(): void {
    if (this.#state === 'over' || !this.#clock.isPaused) return;
    this.#clock.resume();
    this.#body.resume();
  }

  /** Gives the response up. Nothing more is said. */
  destroy(): void {
    this.#listener = undefined;
    this.#close();
    this.#over.resolve(undefined);
    this.#body.destroy();
  }

  #onData(chunk: Buffer): void {
    const before = this.#state;
    if (before === 'over') return;
    // Whatever a host says, and whatever is made of it, costs this stream and never the process.
    try {
      this.#sse.push(chunk, this.#take);
    } catch (fault) {
      this.#fail(streamFaultOf(fault));
    }
    if (this.#hasProgress) this.#clock.progress();
    this.#hasProgress = false;
    // Not with the event: a piece that ends the stream has nothing to limit.
    const phase = this.#state !== 'over' && this.#trailingError.failed ? 'finished' : this.#state;
    if (phase !== before) this.#clock.enter(phase);
    this.#listener?.flush();
  }

  readonly #take = (event: SseEvent): void => {
    if (this.#state === 'over') return;
    const reading = this.#reader.read(event);
    if (reading.isMalformed) this.#onMalformed(event);
    else if (reading.error) this.#onReported(reading.error, reading.failed);
    else if (reading.failed) this.#trailingError.failed = reading.failed;
    else if (reading.isEnd) this.#onEndMarker(event, reading);
    else this.#pass(event, reading);
  };

  #onMalformed(event: SseEvent): void {
    const events = event.mended();
    if (events) return events.forEach(this.#take);
    // Behind its end nothing of the answer can be lost: that is mostly half a marker, or the one of another dialect.
    if (this.#state === 'finished' && !this.#saysEndTooSoon) return;
    const fault = this.#unreadable.add();
    if (fault) return this.#onFault(fault);
    this.#trailingError.note(event);
  }

  #onReported(error: ReportedError, failed = this.#trailingError.failed): void {
    if (this.#state === 'finished') return this.#complete(undefined);
    const { withoutSecrets = (text: string) => text } = this.#options;
    this.#fail(reportedFault(withTexts(error, withoutSecrets), failed));
  }

  #onEndMarker(event: SseEvent, reading: EventReading): void {
    this.#progress.add(reading);
    if (this.#state === 'waiting' && !this.#progress.hasFinishedChoice) return this.#onEmpty();
    if (!this.#progress.isFinished && this.#trailingError.error) return this.#onUnfinished();
    this.#complete(USUAL_MARKER.test(event.data ?? '') ? event.raw : this.#options.dialect.endMarker);
  }

  #pass(event: SseEvent, reading: EventReading): void {
    this.#unreadable.interrupt();
    const told = this.#form.of(event, reading);
    if (told) return this.#take(told);
    this.#progress.add(reading);
    this.#trailingError.note(event, reading);
    if (this.#state === 'finished' ? addsToResponse(reading) : !reading.isComment) this.#hasProgress = true;
    if (this.#listener) this.#listener.event(event, reading);
    else if (!this.#hold(event, reading)) return;
    if (reading.content && this.#state === 'finished') this.#saysEndTooSoon = true;
    const isFinished = !this.#saysEndTooSoon && this.#progress.isFinished;
    if (reading.content) this.#open();
    if (isFinished && reading.isUsageOnly) return this.#complete(undefined);
    if (isFinished || reading.content) this.#enter(isFinished ? 'finished' : 'content');
  }

  #hold(event: SseEvent, reading: EventReading): boolean {
    if (this.#held.add(event, reading) || this.#isOpen) return true;
    this.#onFault(new StreamFault('event_too_large', 'The stream is too large without any content.'));
    return false;
  }

  #enter(state: 'content' | 'finished'): void {
    if (this.#state === 'over' || this.#state === state) return;
    if (this.#state === 'finished' && !this.#saysEndTooSoon) return;
    this.#state = state;
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    // Whoever waits for it listens within the turn, as a rule.
    if (!this.#listener) atEndOfTurn(() => this.#listener || this.pause());
    this.#opened.resolve();
  }

  #onEnd(): void {
    if (this.#state === 'over') return;
    try {
      const rest = this.#sse.rest();
      if (rest) this.#take(new SseEvent(Buffer.concat([rest.raw, BLANK_LINE])));
    } catch (fault) {
      this.#fail(streamFaultOf(fault));
    }
    this.#endOfBody();
    this.#listener?.flush();
  }

  #endOfBody(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'waiting') return this.#onEmpty();
    if (this.#saysEndTooSoon || (this.#progress.isCounted && !this.#trailingError.error))
      this.#enter('finished');
    const isOver = this.#state === 'finished' || !this.#progress.needsEnd;
    if (isOver || this.#options.acceptUnfinished) return this.#complete(undefined);
    this.#onUnfinished();
  }

  #onUnfinished(): void {
    const { error } = this.#trailingError;
    if (error) return this.#onReported(error);
    this.#fail(new StreamFault('unfinished', 'The stream ended before its answer did.'));
  }

  #onEmpty(): void {
    if (this.#held.saysSomething) return this.#onUnfinished();
    this.#fail(new StreamFault('empty', 'The stream ended without an answer.'));
  }

  #onFault(fault: StreamFault): void {
    if (this.#state === 'finished') this.#complete(undefined);
    else this.#fail(fault);
  }

  #onCut(cause: Error): void {
    if (this.#state === 'over') return;
    this.#onFault(new StreamFault('cut', 'The connection to the host broke.', undefined, cause));
  }

  #complete(marker: Buffer | undefined): void {
    const isNothing = !this.#isOpen && this.#progress.saysNothing && !this.#options.mayBeEmpty;
    if (isNothing || this.#trailingError.failed)
      return this.#fail(new StreamFault('empty', 'The stream ended without an answer.'));
    const end = marker ?? (this.#state === 'finished' ? this.#options.dialect.endMarker : undefined);
    this.#close();
    this.#outcome = { end };
    this.#body.drain();
    this.#opened.resolve();
    if (this.#listener) this.#report(this.#listener);
  }

  #fail(cause: StreamFault): void {
    const fault = cause.reported ? cause : (this.#trailingError.unexplained ?? cause);
    this.#close();
    this.#outcome = { fault };
    this.#body.destroy();
    this.#opened.reject(fault);
    if (this.#listener) this.#report(this.#listener);
  }

  #report(listener: HostStreamListener): void {
    const fault = this.#outcome && 'fault' in this.#outcome ? this.#outcome.fault : undefined;
    this.#over.resolve(fault ?? 'whole');
    if (fault) listener.failed(fault);
    else if (this.#outcome && 'end' in this.#outcome) listener.ended(this.#outcome.end);
  }

  #close(): void {
    this.#state = 'over';
    this.#clock.stop();
  }
}
