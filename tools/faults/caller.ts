/** What a caller saw. */
export interface Seen {
  readonly caller: string;
  /** When it asked, on the clock of `performance.now()`. */
  readonly at: number;
  readonly tookMs: number;
  /** 0: no response; see `end`. */
  readonly status: number;
  readonly host: string | undefined;
  readonly retryAfterS: number | undefined;
  readonly text: string;
  /** `hung`: the caller's own last limit, which no call may ever need; `gave up`: it was an impatient one. */
  readonly end: 'clean' | 'broken' | 'hung' | 'gave up';
}

/** How a caller asks. */
interface Question {
  readonly origin: string;
  readonly model: string;
  readonly caller: string;
  readonly isStream: boolean;
  /** After so long it leaves, in milliseconds. */
  readonly patienceMs?: number | undefined;
  /** Further fields of its request. */
  readonly more?: object | undefined;
  /** Hears of all that came so far, with each piece. */
  readonly onText?: ((text: string) => void) | undefined;
}

/** No call of the suite may take longer, in milliseconds. */
const HUNG_MS = 40_000;

/** Asks the gateway for a chat completion and reads the response to its end. Never rejects. */
export async function ask(question: Question): Promise<Seen> {
  const { origin, model, caller, isStream, patienceMs, more, onText } = question;
  const at = performance.now();
  const signal = AbortSignal.timeout(patienceMs ?? HUNG_MS);
  let seen: Pick<Seen, 'status' | 'host' | 'retryAfterS' | 'text'> = {
    status: 0,
    host: undefined,
    retryAfterS: undefined,
    text: '',
  };
  let end: Seen['end'] = 'clean';
  try {
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: caller }],
        ...(isStream && { stream: true }),
        ...more,
      }),
      signal,
    });
    const retryAfter = response.headers.get('retry-after');
    seen = {
      status: response.status,
      host: response.headers.get('x-morgan-host') ?? undefined,
      retryAfterS: retryAfter === null ? undefined : Number(retryAfter),
      text: '',
    };
    const decoder = new TextDecoder();
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      seen = { ...seen, text: seen.text + decoder.decode(chunk, { stream: true }) };
      onText?.(seen.text);
    }
  } catch {
    end = !signal.aborted ? 'broken' : patienceMs === undefined ? 'hung' : 'gave up';
  }
  return { caller, at, tookMs: performance.now() - at, ...seen, end };
}

/** Whether it is a whole good response. */
export function isGood({ status, text, end }: Seen): boolean {
  if (status !== 200 || end !== 'clean' || !text.includes('"hello"')) return false;
  return !text.startsWith('data:') || text.endsWith('data: [DONE]\n\n');
}
