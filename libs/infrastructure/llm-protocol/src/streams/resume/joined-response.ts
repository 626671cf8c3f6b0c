import { type JsonObject, textOrNone } from '@morgan/foundation';
import type { Dialect, EventReading, TokenUsage } from '../../dialects/dialect.ts';
import { dataEvent } from '../../dialects/openai-shapes.ts';
import { SseEvent } from '../../sse/sse-event.ts';
import { StreamFault } from '../../sse/stream-fault.ts';
import { EchoFilter } from './echo-filter.ts';
import type { ResumeMode } from './attempt-usage.ts';
import type { FreshText, Seam } from './seam.ts';
import { seamOf } from './seam-of.ts';
import type { SentResponse } from './sent-response.ts';
import { TextAligner } from './text-aligner.ts';

/** An event on its way, and what it says. */
export type ReadEvent = readonly [event: SseEvent, reading: EventReading];

/** An event of the second response. */
interface NextEvent extends FreshText {
  readonly event: SseEvent;
  readonly reading: EventReading;
  readonly isOther: boolean;
  /** The counts of the attempts before, for events that have counts. */
  readonly before: TokenUsage | undefined;
}

/** How a second response is joined to the first. */
interface JoinOptions {
  readonly mode: ResumeMode;
  /** Whether the first has all the tokens that it may have: no host can be asked for none, so what the second one says is one too many. */
  readonly isFull: boolean;
}

/** A second host's response on its way into the first one's stream. */
export class JoinedResponse {
  /** Where it begins again. */
  readonly #aligner: TextAligner | undefined;
  /** Where it goes on. */
  readonly #echo: EchoFilter<NextEvent> | undefined;
  readonly #isFull: boolean;

  private constructor(
    private readonly seam: Seam,
    private readonly sent: SentResponse,
    { mode, isFull }: JoinOptions,
  ) {
    this.#isFull = isFull;
    if (mode === 'restart') this.#aligner = new TextAligner(sent.text);
    else this.#echo = new EchoFilter(sent.text);
  }

  /** None where the response broke off at a place that nothing can be joined to. */
  static of(dialect: Dialect, sent: SentResponse, options: JoinOptions): JoinedResponse | undefined {
    if (!sent.isPlainText || !sent.first || !sent.last) return undefined;
    const seam = seamOf(dialect.name, dataOf(sent.first), dataOf(sent.last));
    return seam && new JoinedResponse(seam, sent, options);
  }

  /**
   * What has to leave of the event, and of those before it that were held: nothing where nothing of it is new.
   * @param before the counts of the attempts before, for events that have counts.
   * @throws StreamFault `diverged` when the response is not the one that was begun.
   */
  join(event: SseEvent, reading: EventReading, before: TokenUsage | undefined): readonly ReadEvent[] {
    if (reading.isComment) return [[event, reading]];
    const text = this.#newText(reading);
    const isRepeating = this.#aligner?.isAligned === false;
    const next = { event, reading, text, isRepeating, isOther: isOtherThanText(reading), before };
    return (this.#echo?.take(next) ?? [next]).flatMap((each) => this.#join(each));
  }

  /** What is still held of a response that has ended. */
  rest(): readonly ReadEvent[] {
    return this.#echo?.rest().flatMap((each) => this.#join(each)) ?? [];
  }

  #join(next: NextEvent): readonly ReadEvent[] {
    const { event, reading, text, before } = next;
    const joined = this.seam
      .join(dataOf(event), reading, next, before)
      .map((json) => new SseEvent(dataEvent(json, event.type && (textOrNone(json['type']) ?? event.type))));
    const last = joined.at(-1);
    if (last) this.sent.add(last, reading, text);
    return joined.map((each) => [each, reading]);
  }

  #newText(reading: EventReading): string {
    const { content, text } = reading;
    if (this.#isFull && content === 'text') return '';
    const aligner = this.#aligner;
    const fresh = content === 'text' && aligner ? aligner.take(text) : text;
    if (fresh === undefined || (aligner && !aligner.isAligned && isOtherThanText(reading)))
      throw new StreamFault('diverged', 'The second answer differs from what was already sent of the first.');
    return fresh;
  }
}

/** Whether it has something else, or an end: text that was sent is not repeated behind it. */
function isOtherThanText({ content, finished }: EventReading): boolean {
  return finished > 0 || (content !== undefined && content !== 'text' && content !== 'reasoning');
}

function dataOf(event: SseEvent): JsonObject {
  return JSON.parse(event.data ?? '{}') as JsonObject;
}
