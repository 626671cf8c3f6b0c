import { JoinedText } from '@morgan/foundation';
import type { EventReading } from '../../dialects/dialect.ts';
import type { SseEvent } from '../../sse/sse-event.ts';

/** A longer response is not finished elsewhere: its text is not kept, which a host may go on with for as long as it likes. */
const MOST_CHARACTERS = 1024 * 1024;

/** What a caller has of a response that streams: enough to go on with it elsewhere, or to know that nobody can. */
export class SentResponse {
  #first: SseEvent | undefined;
  #last: SseEvent | undefined;
  readonly #text = new JoinedText();
  #textEvents = 0;
  #contentEvents = 0;
  #hasOther = false;
  #characters = 0;

  /** The first event that names the response: some hosts say something else before, without an id. */
  get first(): SseEvent | undefined {
    return this.#first;
  }

  /** The last event that says something. */
  get last(): SseEvent | undefined {
    return this.#last;
  }

  /** Plain text of the first choice. */
  get text(): string {
    return this.#text.text;
  }

  /** Events with text: nearly all hosts send one for each token. */
  get textEvents(): number {
    return this.#textEvents;
  }

  /** Events with text or reasoning. */
  get contentEvents(): number {
    return this.#contentEvents;
  }

  /** Whether nothing but plain text and reasoning was sent, and all of it is here: a tool call or a second choice cannot be joined. */
  get isPlainText(): boolean {
    return !this.#hasOther && !this.#isTooLong;
  }

  get #isTooLong(): boolean {
    return this.#characters > MOST_CHARACTERS;
  }

  /** @param text what was sent of its text. Default all of it. */
  add(event: SseEvent, { content, text: whole, id, isKeepAlive }: EventReading, text = whole): void {
    if (id !== undefined || content !== undefined) this.#first ??= event;
    if (!isKeepAlive) this.#last = event;
    if (content !== undefined) this.#contentEvents += 1;
    if (content === 'text') this.#addText(text);
    else if (content !== undefined && content !== 'reasoning') this.#hasOther = true;
  }

  #addText(text: string): void {
    this.#textEvents += 1;
    this.#characters += text.length;
    if (this.#isTooLong) this.#text.clear();
    else this.#text.add(text);
  }
}
