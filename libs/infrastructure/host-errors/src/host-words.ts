import { ownWordsIn } from './own-words.ts';
import type { ReportedError } from './reported-error.ts';

/** What a host says is wrong, as far as the words are its own: some quote the request, which may speak of anything. */
export class HostWords {
  readonly #names: string;
  readonly #all: string;
  readonly #request: Buffer | undefined;

  /** @param request the body that was sent: words of the message that stand in it too say nothing. */
  constructor(error: ReportedError | undefined, request?: Buffer) {
    const { code = '', type = '', message = '', behind = '' } = error ?? {};
    this.#names = `${code}\n${type}`;
    // One line each, as little that is looked for goes from one over to the next.
    this.#all = `${this.#names}\n${ownWordsIn(message)}\n${ownWordsIn(behind)}`;
    this.#request = request;
  }

  /** Whether its code or its type does. */
  name(pattern: RegExp): boolean {
    return pattern.test(this.#names);
  }

  /** Whether any of its words do. */
  say(pattern: RegExp): boolean {
    if (this.name(pattern)) return true;
    const found = pattern.exec(this.#all)?.[0];
    return found !== undefined && !this.#isQuoted(found);
  }

  #isQuoted(text: string): boolean {
    const request = this.#request;
    return request !== undefined && [text, escaped(text)].some((each) => request.includes(each));
  }
}

/** As it stands in a JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
