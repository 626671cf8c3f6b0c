import type { JsonObject } from '@morgan/foundation';
import { isSignOfLife } from '../dialects/chat.events.ts';
import type { Dialect, EventReading } from '../dialects/dialect.ts';
import { parseExactly } from '../json/exact-json.ts';
import { dataEvent } from '../dialects/openai-shapes.ts';
import { SseEvent } from '../sse/sse-event.ts';

/** Characters of the first piece by which a whole answer that repeats it is recognised. */
const ENOUGH = 64;
/** What a ping is told as: clients look for choices in all else. */
const COMMENT = Buffer.from(': keep-alive\n\n');
/** Where all is as it should be: a list of choices, and in it neither a whole message nor calls or arguments that are objects. */
const CHOICES = /"choices"\s*:\s*\[/;
const ODD = /"message"|"(tool_calls|arguments)"\s*:\s*\{/;

/** Sees to it that the events of one stream have the form of events, whatever form their host has for them. */
export class EventForm {
  /** What was said first, where the host has said it as a piece. */
  #begins: string | undefined;
  /** Whether the host says each piece in the form of a whole response. */
  #isWhole = false;

  constructor(private readonly dialect: Dialect) {}

  /**
   * An event that has the form of a whole response, no list of choices, or an object in the place of a list or a text, as one of a
   * stream; a ping as a comment. Undefined: it has the usual form already.
   */
  of(event: SseEvent, { content, text, isComment }: EventReading): SseEvent | undefined {
    const { eventOf } = this.dialect;
    if (content === 'text' && !this.#isWhole) this.#begins ??= text.slice(0, ENOUGH);
    // Nearly all events are texts, which have it: those are not even decoded.
    if (!eventOf || isComment || content === 'text' || content === 'reasoning') return undefined;
    const { data = '' } = event;
    if (CHOICES.test(data) && !ODD.test(data)) return undefined;
    const json = parseExactly(data) as JsonObject;
    if (isSignOfLife(json)) return new SseEvent(COMMENT);
    const told = eventOf(json, this.#begins);
    if (told && content === 'other' && this.#begins === undefined) this.#isWhole = true;
    return told && new SseEvent(dataEvent(told, event.type));
  }
}
