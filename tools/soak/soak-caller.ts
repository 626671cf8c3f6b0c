import { Agent, type IncomingMessage, request } from 'node:http';
import { SOAK_TEXT } from './soak-text.ts';

/** How a call ended; all but `hung` and `wrong` are as they should be. */
type Ending = 'whole' | 'refused' | 'broken' | 'left' | 'hung' | 'wrong';

/** No call of the soak takes nearly as long. */
const HUNG_AFTER_MS = 60_000;

/** Calls a gateway over kept connections, and holds every response to the contract. */
export class SoakCaller {
  readonly endings: Record<Ending, number> = { whole: 0, refused: 0, broken: 0, left: 0, hung: 0, wrong: 0 };
  /** The first responses that were wrong. */
  readonly wrong: string[] = [];
  readonly #agent: Agent;

  constructor(
    private readonly origin: string,
    concurrency: number,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: concurrency, maxFreeSockets: concurrency });
  }

  /** @param leaves whether the caller goes away with the first piece of a stream. */
  async call(isStream: boolean, leaves: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<Ending>();
    const timer = setTimeout(() => resolve('hung'), HUNG_AFTER_MS);
    const body = JSON.stringify({
      model: 'm',
      messages: [{ role: 'user', content: 'count' }],
      stream: isStream,
    });
    const call = request(`${this.origin}/v1/chat/completions`, {
      method: 'POST',
      agent: this.#agent,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    call.once('error', (error) => resolve(leaves ? 'left' : this.#isWrong(String(error))));
    call.once('response', (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (!leaves) return;
        call.destroy();
        resolve('left');
      });
      response.once('error', () => resolve(this.#judgeBroken(text)));
      response.once('end', () => resolve(this.#judgeWhole(response, text)));
    });
    call.end(body);
    this.endings[await promise] += 1;
    clearTimeout(timer);
  }

  close(): void {
    this.#agent.destroy();
  }

  #judgeWhole({ statusCode = 0, headers }: IncomingMessage, text: string): Ending {
    if (statusCode !== 200)
      return text.startsWith('{"error":{') ? 'refused' : this.#isWrong(`${statusCode} ${text}`);
    const isStream = headers['content-type']?.startsWith('text/event-stream') ?? false;
    const isWhole = isStream
      ? textOf(text) === SOAK_TEXT && text.endsWith('data: [DONE]\n\n')
      : text.includes(SOAK_TEXT);
    return isWhole ? 'whole' : this.#isWrong(text);
  }

  /** A stream that breaks says why, and never that it is whole. */
  #judgeBroken(text: string): Ending {
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    const isTold = last.startsWith('data: {"error":{') && !text.includes('[DONE]');
    return isTold ? 'broken' : this.#isWrong(text);
  }

  #isWrong(what: string): Ending {
    if (this.wrong.length < 5) this.wrong.push(what.slice(-600));
    return 'wrong';
  }
}

function textOf(events: string): string {
  const data = events.match(/^data: \{.*$/gm) ?? [];
  return data
    .map((line) => JSON.parse(line.slice(6)) as { choices?: { delta?: { content?: string } }[] })
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('');
}
