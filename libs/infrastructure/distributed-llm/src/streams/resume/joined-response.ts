import type { Dialect, EventReading, TokenUsage } from '../../dialects/dialect.ts';
import { dataEvent } from '../../dialects/openai-shapes.ts';
import { type JsonObject, textOrNone } from '../../dialects/json-value.ts';
import { SseEvent } from '../sse-event.ts';
import { StreamFault } from '../stream-fault.ts';
import type { ResumeMode } from './attempt-usage.ts';
import type { Seam } from './seam.ts';
import { seamOf } from './seam-of.ts';
import type { SentResponse } from './sent-response.ts';
import { TextAligner } from './text-aligner.ts';

/** A second host's response on its way into the first one's stream. */
export class JoinedResponse {
  readonly #aligner: TextAligner | undefined;

  private constructor(
    private readonly seam: Seam,
    private readonly sent: SentResponse,
    mode: ResumeMode,
  ) {
    if (mode === 'restart') this.#aligner = new TextAligner(sent.text);
  }

  /** None where the response broke off at a place that nothing can be joined to. */
  static of(dialect: Dialect, sent: SentResponse, mode: ResumeMode): JoinedResponse | undefined {
    if (!sent.isPlainText || !sent.first || !sent.last) return undefined;
    const seam = seamOf(dialect.name, dataOf(sent.first), dataOf(sent.last));
    return seam && new JoinedResponse(seam, sent, mode);
  }

  /**
   * What has to leave of the event: nothing where nothing of it is new.
   * @param before the counts of the attempts before, for events that have counts.
   * @throws StreamFault `diverged` when the response is not the one that was begun.
   */
  join(event: SseEvent, reading: EventReading, before: TokenUsage | undefined): readonly SseEvent[] {
    if (reading.isComment) return [event];
    const text = this.#newText(reading);
    const joined = this.seam
      .join(dataOf(event), reading, text, before)
      .map((json) => new SseEvent(dataEvent(json, event.type && (textOrNone(json['type']) ?? event.type))));
    const last = joined.at(-1);
    if (last) this.sent.add(last, reading, text);
    return joined;
  }

  #newText({ content, text, finished }: EventReading): string {
    const aligner = this.#aligner;
    const fresh = content === 'text' && aligner ? aligner.take(text) : text;
    const isOther = content !== undefined && content !== 'text' && content !== 'reasoning';
    if (fresh === undefined || (aligner && !aligner.isAligned && (isOther || finished > 0)))
      throw new StreamFault('diverged', 'The second answer differs from what was already sent of the first.');
    return fresh;
  }
}

function dataOf(event: SseEvent): JsonObject {
  return JSON.parse(event.data ?? '{}') as JsonObject;
}
