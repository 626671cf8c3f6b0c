import { AppError, isObject, type JsonObject } from '@morgan/foundation';
import { refusalOfInput } from '@morgan/host-errors';
import type {
  Dialect,
  EventReading,
  ResponseHead,
  StreamTranslator,
  TokenUsage,
} from '../dialects/dialect.ts';
import { parseExactly } from '../json/exact-json.ts';
import type { ClientStream } from './client-stream.ts';
import type { HostStreamListener } from './host-stream.listener.ts';
import { withoutNullUsage } from './null-usage.ts';
import { AttemptUsage, countedSoFar, type ResumeMode } from './resume/attempt-usage.ts';
import type { Interrupted } from './resume/continuation-request.ts';
import { JoinedResponse, type ReadEvent } from './resume/joined-response.ts';
import { SentResponse } from './resume/sent-response.ts';
import type { SseEvent } from '../sse/sse-event.ts';
import { reportOf } from './stream-error.ts';
import { StreamFault } from '../sse/stream-fault.ts';
import type { ResponseStream } from './translated-stream.ts';

/** How an interrupted response is finished elsewhere. */
export interface Resumption {
  /** How often at most, for one response. */
  readonly limit: number;
  /** How many tokens the response may have. Default any number. */
  readonly mostTokens?: number;
  /**
   * Asks another host for the rest of the response, or for all of it again.
   * @returns its stream, opened; undefined where none can be had that way. An AppError or StreamFault says the same.
   */
  reopen(mode: ResumeMode, sent: Interrupted): Promise<ResponseStream | undefined>;
  /** How many hosts were asked in all, for the comment at the end. */
  attempts(): number;
}

/** How a stream is passed on. */
interface StreamRelayOptions {
  readonly dialect: Dialect;
  /** Whether the caller asked for the event with token counts; else it is left out. */
  readonly wantsUsage: boolean;
  /** Whether the host was asked for counts although the caller did not: then no event tells of it. */
  readonly asksUsage?: boolean | undefined;
  /** For a host whose dialect is not the caller's. */
  readonly translator?: StreamTranslator;
  /** None: an interruption is an error. */
  readonly resumption?: Resumption;
  /** The response's id, with the first event that has one. */
  readonly onId?: (id: string) => void;
  /** So many events could not be read and were left out: called before the caller has the end. */
  readonly onUnreadable?: (count: number) => void;
  /** The response is broken for good: called before the caller is told. */
  readonly onFault?: (fault: StreamFault) => void;
}

/** How a stream ended for the caller. */
export interface StreamOutcome {
  readonly kind: 'complete' | 'failed' | 'caller_gone';
  /** What broke the response, for `failed`. */
  readonly fault: StreamFault | undefined;
  /** Tokens of each host that wrote a part of it, in their order, as far as they are known or can be told from what came. */
  readonly usages: readonly TokenUsage[];
  /** Events left out because they could not be read. */
  readonly malformed: number;
  /** How often the response was taken up elsewhere. */
  readonly resumes: number;
}

type Ending = 'complete' | 'caller_gone' | StreamFault;

/**
 * Passes one response on, from one host or from several that continue each other. Events that need no change are passed
 * on byte for byte. After the first content there are two ends only: a whole response, or an error event and a broken
 * transfer.
 */
export class StreamRelay implements HostStreamListener {
  readonly #client: ClientStream;
  readonly #options: StreamRelayOptions;
  readonly #sent = new SentResponse();
  readonly #attempts = new AttemptUsage();
  #stream: ResponseStream;
  #joined: JoinedResponse | undefined;
  /** Tokens that the present host was given as the beginning of its response. */
  #given = 0;
  /** Events with content that it has sent. */
  #written = 0;
  #usageEvent: Buffer | undefined;
  #sequence = 0;
  /** What the last host said that broke off and said why: that another one could not go on is no news for the caller. */
  #told: StreamFault | undefined;
  #head: ResponseHead = {};
  /** The event that has the head, where all of it may have to be told again. */
  #begun: SseEvent | undefined;
  #goesOn = false;
  #waitsForDrain = false;
  #malformed = 0;
  #resumes = 0;
  #settle: (ending: Ending) => void = () => undefined;

  /** @param stream the first host's, opened. */
  constructor(client: ClientStream, stream: ResponseStream, options: StreamRelayOptions) {
    this.#client = client;
    this.#stream = stream;
    this.#options = options;
  }

  /** Resolves when the caller has the whole response, or an error, or is gone. Never rejects for a host's fault. */
  async run(): Promise<StreamOutcome> {
    void this.#client.closed.then(() => this.#settle('caller_gone'));
    let ending: Ending;
    do {
      ending = await this.#pass();
      this.#malformed += this.#stream.malformed;
    } while (ending instanceof StreamFault && (await this.#resume(ending)));
    if (ending instanceof StreamFault) {
      if (this.#malformed > 0) this.#options.onUnreadable?.(this.#malformed);
      this.#options.onFault?.(ending);
      this.#tell(ending.reported ? ending : (this.#told ?? ending));
    } else if (ending === 'caller_gone') this.#stream.destroy();
    await this.#client.closed;
    return this.#outcome(ending);
  }

  event(event: SseEvent, reading: EventReading): void {
    if (reading.sequence !== undefined) this.#sequence = reading.sequence + 1;
    const { hasEnd, isKept } = this.#options.dialect;
    if (reading.content !== undefined && hasEnd && !isKept) this.#written += 1;
    if (reading.goesOn) this.#goesOn = true;
    if (reading.id !== undefined && this.#head.id === undefined) this.#noteHead(reading.id, reading, event);
    try {
      if (!this.#joined) this.#passOn(event, reading);
      else for (const passed of this.#join(this.#joined, event, reading)) this.#passOn(...passed);
    } catch (fault) {
      this.#broken(fault);
    }
    if (!this.#joined && this.#options.resumption && !reading.isComment) this.#sent.add(event, reading);
  }

  flush(): void {
    this.#client.flush();
    if (!this.#client.isFull) return;
    this.#stream.pause();
    if (this.#waitsForDrain) return;
    this.#waitsForDrain = true;
    this.#client.onceDrained(() => {
      this.#waitsForDrain = false;
      this.#stream.resume();
    });
  }

  ended(end: Buffer | undefined): void {
    const { wantsUsage, resumption, translator } = this.#options;
    this.#joined?.rest().forEach((passed) => this.#passOn(...passed));
    if (this.#usageEvent && wantsUsage) this.#client.send(this.#usageEvent);
    const unreadable = this.#malformed + this.#stream.malformed;
    if (unreadable > 0) {
      this.#options.onUnreadable?.(unreadable);
      this.#comment(`x-morgan-unreadable-events: ${unreadable}`);
    }
    if (this.#resumes > 0) this.#comment(`x-morgan-attempts: ${resumption?.attempts()}`);
    try {
      if (end && translator) translator.end().forEach((bytes) => this.#client.send(bytes));
    } catch (fault) {
      return this.#broken(fault);
    }
    this.#client.complete(translator ? undefined : end);
    this.#settle('complete');
  }

  failed(fault: StreamFault): void {
    this.#settle(fault);
  }

  #comment(text: string): void {
    this.#client.send(Buffer.from(`: ${text}${this.#client.commentEnd}`));
  }

  /** What the host said cannot be told. @throws what is no fault of the host. */
  #broken(fault: unknown): void {
    if (!(fault instanceof StreamFault)) throw fault;
    this.#stream.destroy();
    this.#settle(fault);
  }

  /** A stream that broke takes no place in the row: who asks for the rest of its response asks for what is behind its last event. */
  #tell(fault: StreamFault): void {
    const { reported, failed } = fault;
    if (!reported)
      return this.#client.fail(reportOf(fault), Math.max(0, this.#sequence - (this.#goesOn ? 1 : 0)));
    const begun = this.#begun && (JSON.parse(this.#begun.data ?? '') as JsonObject)['response'];
    const response = failed ?? (isObject(begun) ? begun : undefined);
    this.#client.fail(reportOf(fault), this.#sequence, { ...this.#head, response });
  }

  #noteHead(id: string, { model }: EventReading, event: SseEvent): void {
    this.#head = { id, model };
    if (this.#options.dialect.failedEnd) this.#begun = event;
    if (event.id !== undefined) this.#client.commentEnd = '\n';
    this.#options.onId?.(id);
  }

  #pass(): Promise<Ending> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.#client.isOver) resolve('caller_gone');
      else this.#stream.start(this);
    });
  }

  #join(joined: JoinedResponse, event: SseEvent, reading: EventReading): readonly ReadEvent[] {
    const before = reading.usage && this.#attempts.before(reading.usage, this.#given);
    return joined.join(event, reading, before);
  }

  #passOn(event: SseEvent, { isUsageOnly, isComment }: EventReading): void {
    const { translator, asksUsage } = this.#options;
    // Some hosts keep a connection open so, or say when to come back; official clients take it for JSON.
    if (isComment && event.isEmpty) return;
    if (translator && !isComment)
      for (const bytes of translator.take(parseExactly(event.data ?? '') as JsonObject))
        this.#client.send(bytes);
    else if (isUsageOnly) this.#usageEvent = event.raw;
    else this.#client.send(asksUsage ? withoutNullUsage(event.raw) : event.raw);
  }

  async #resume(fault: StreamFault): Promise<boolean> {
    const { resumption } = this.#options;
    if (fault.reported) this.#told = fault;
    // The call itself is over, by its deadline or because its caller left: nobody waits for the rest.
    if (fault.cause instanceof AppError && fault.cause.code !== 'stream_interrupted') return false;
    // What one host refuses in the middle is not to be had of the next.
    if (fault.reported && refusalOfInput(fault.reported)) return false;
    if (!resumption || fault.reason === 'diverged' || this.#resumes >= resumption.limit) return false;
    const { text, textEvents, contentEvents } = this.#sent;
    const sent = { text, tokens: contentEvents };
    const modes: readonly ResumeMode[] = sent.text === '' ? ['restart'] : ['continue', 'restart'];
    for (const mode of modes) {
      const isFull = mode === 'continue' && contentEvents >= (resumption.mostTokens ?? Infinity);
      const joined = JoinedResponse.of(this.#options.dialect, this.#sent, { mode, isFull });
      const stream = joined && (await this.#reopen(resumption, mode, sent));
      if (!stream) continue;
      this.#takeUp(stream, joined, mode === 'continue' ? textEvents : 0);
      return true;
    }
    return false;
  }

  /** That another host fails too, or refuses, is no news for the caller: the interruption is. */
  async #reopen(
    resumption: Resumption,
    mode: ResumeMode,
    sent: Interrupted,
  ): Promise<ResponseStream | undefined> {
    try {
      return await resumption.reopen(mode, sent);
    } catch (error) {
      if (error instanceof StreamFault || error instanceof AppError) return undefined;
      throw error;
    }
  }

  #takeUp(stream: ResponseStream, joined: JoinedResponse, given: number): void {
    this.#attempts.interrupted({ usage: this.#stream.usage, given: this.#given, written: this.#written });
    this.#written = 0;
    this.#given = given;
    this.#joined = joined;
    this.#stream = stream;
    this.#usageEvent = undefined;
    this.#resumes += 1;
  }

  #outcome(ending: Ending): StreamOutcome {
    const { usage: said } = this.#stream;
    const isCounted = ending === 'complete' && (said?.output ?? 0) > 0;
    const usage = said && isCounted ? said : countedSoFar(said, this.#written);
    return {
      kind: ending instanceof StreamFault ? 'failed' : ending,
      fault: ending instanceof StreamFault ? ending : undefined,
      usages: [...this.#attempts.each(usage, this.#given), usage],
      malformed: this.#malformed,
      resumes: this.#resumes,
    };
  }
}
