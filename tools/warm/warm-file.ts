import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { linesOf } from './text-lines.ts';

/** Texts in one call: below the limit of the service, and little to repeat when one breaks. */
const CALL_TEXTS = 512;
/** A call also ends here, so that long texts stay within the body limit. */
const CALL_CHARACTERS = 2_000_000;
const MOST_TRIES = 8;
const LONGEST_WAIT_MS = 30_000;
const BYTE_ORDER_MARK = /^\uFEFF/;

/** Refusals that pass. */
const PASSING = [
  'connection',
  'overloaded',
  'queue_full',
  'model_loading',
  'deadline_exceeded',
  'cache_unavailable',
];
/** Refusals of a call that fewer texts may not meet. */
const TOO_MUCH = ['request_too_large', 'body_too_complex'];

/** What is wrong with a line. */
interface BadLine {
  readonly fault: string;
}

/** Where a file is to be sent. */
interface WarmTarget {
  /** Origin of embedding-service. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Further fields of each call, such as `input_type`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Hears why a call is tried again, and after how long: without a service that may take a minute and a half. */
  readonly onWait?: (reason: string, waitMs: number) => void;
}

/** What became of texts. */
interface Counts {
  readonly cached: number;
  readonly computed: number;
  readonly failed: number;
}

/** How far a file is through. */
export interface WarmedSoFar extends Counts {
  readonly texts: number;
  /** 0 to 1, of the bytes of the file. */
  readonly share: number;
}

interface Line extends Partial<Counts> {
  readonly done?: number;
  readonly error?: { readonly message: string; readonly code: string };
  readonly retryAfterMs?: number;
}

/** The service goes on refusing a call. */
class WarmingRefused extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Sends the texts of a file to `POST /admin/cache/warm`, call by call. A line is a text, a JSON string, or an object with
 * `text` or `input`. A line that is not understood, or that the service finds too large, counts as failed. What is cached is
 * skipped, so a file that broke off may simply be sent again.
 * @param onBadLine called with what is wrong with a line
 * @throws Error when the service goes on refusing, and for a file that is one JSON array
 */
export async function warmFile(
  file: string,
  target: WarmTarget,
  onProgress: (progress: WarmedSoFar) => void,
  onBadLine: (fault: string) => void = () => undefined,
): Promise<WarmedSoFar> {
  const { size } = await stat(file);
  const sum = { texts: 0, cached: 0, computed: 0, failed: 0, share: 0 };
  const flush = async (texts: readonly string[], readBytes: number) => {
    add(sum, await warmInParts(texts, target, onBadLine));
    sum.texts += texts.length;
    sum.share = Math.min(1, readBytes / size);
    onProgress({ ...sum });
  };
  let texts: string[] = [];
  let characters = 0;
  let number = 0;
  let read = 0;
  for await (const { text: given = '', fault, readBytes } of linesOf(file)) {
    number += 1;
    read = readBytes;
    const line = number === 1 ? given.replace(BYTE_ORDER_MARK, '') : given;
    if (number === 1 && isJsonArray(line.trim()))
      throw new Error('it is one JSON array; each line is to be a text, or JSON of one');
    const text = fault === undefined ? textOf(line) : { fault };
    if (text === undefined) continue;
    if (typeof text === 'object') {
      sum.failed += 1;
      onBadLine(`line ${number} ${text.fault}`);
      continue;
    }
    texts.push(text);
    characters += text.length;
    if (texts.length < CALL_TEXTS && characters < CALL_CHARACTERS) continue;
    await flush(texts, read);
    texts = [];
    characters = 0;
  }
  if (texts.length > 0) await flush(texts, read);
  return { ...sum, share: 1 };
}

/** A vector with another prompt than that of its line would never be asked for. */
const PROMPT_FIELDS = ['prompt', 'prompt_name', 'input_type', 'task', 'task_type'];

/** Undefined for an empty line. */
function textOf(line: string): string | BadLine | undefined {
  const trimmed = line.trim();
  if (trimmed === '') return undefined;
  if (!trimmed.startsWith('{') && !trimmed.startsWith('"')) return line;
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    // A sentence may begin with a quotation mark.
    if (trimmed.startsWith('"')) return line;
    return { fault: 'is not valid JSON' };
  }
  const named = PROMPT_FIELDS.find((field) => Object.hasOwn(value as object, field));
  if (named !== undefined) return { fault: `has "${named}": --input-type holds for all lines` };
  const text = typeof value === 'string' ? value : fieldOf(value as { text?: unknown; input?: unknown });
  if (typeof text === 'string') return text === '' ? undefined : text;
  return { fault: 'has neither a string nor an object with "text" or "input"' };
}

/** The whole of an array, or its first line where each element has one of its own. */
function isJsonArray(line: string): boolean {
  if (!line.startsWith('[')) return false;
  try {
    return line === '[' || Array.isArray(JSON.parse(line));
  } catch {
    // A text may begin with a bracket.
    return false;
  }
}

const fieldOf = ({ text, input }: { text?: unknown; input?: unknown }) => text ?? input;

/** In halves where they are too much for one call; a text that is too much alone has failed. */
async function warmInParts(
  texts: readonly string[],
  target: WarmTarget,
  onBadLine: (fault: string) => void,
): Promise<Counts> {
  const sum = { cached: 0, computed: 0, failed: 0 };
  try {
    add(sum, await warm(texts, target));
    return sum;
  } catch (error) {
    if (!(error instanceof WarmingRefused) || !TOO_MUCH.includes(error.code)) throw error;
    if (texts.length === 1) {
      onBadLine(`a text of ${texts[0]?.length} characters: ${error.message}`);
      return { ...sum, failed: 1 };
    }
  }
  const half = Math.ceil(texts.length / 2);
  for (const part of [texts.slice(0, half), texts.slice(half)])
    add(sum, await warmInParts(part, target, onBadLine));
  return sum;
}

function add(
  sum: { cached: number; computed: number; failed: number },
  { cached = 0, computed = 0, failed = 0 }: Partial<Counts>,
): void {
  sum.cached += cached;
  sum.computed += computed;
  sum.failed += failed;
}

/** Goes on behind what is through where a call breaks off. */
async function warm(texts: readonly string[], target: WarmTarget): Promise<Counts> {
  const sum = { cached: 0, computed: 0, failed: 0 };
  let through = 0;
  for (let attempt = 1; through < texts.length; attempt += 1) {
    let step: Line = {};
    const onLine = (line: Line) => (step = line.done === undefined ? step : line);
    const last = await send(texts.slice(through), target, onLine).catch((error: unknown): Line => {
      return { error: { message: reasonOf(error as Error), code: 'connection' } };
    });
    add(sum, step);
    const { done = 0 } = step;
    through += done;
    if (through >= texts.length) break;
    const { error = { message: 'the answer broke off', code: 'connection' }, retryAfterMs = 1_000 } = last;
    if (done > 0) attempt = 1;
    if (attempt === MOST_TRIES || !PASSING.includes(error.code))
      throw new WarmingRefused(error.message, error.code);
    const waitMs = Math.min(retryAfterMs * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    target.onWait?.(error.message, waitMs);
    await delay(waitMs);
  }
  return sum;
}

/** What `fetch` rejects with says no more than that it failed. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}

/** @param onLine called with each line of the response as it comes @returns the last one */
async function send(
  input: readonly string[],
  { url, apiKey, fields }: WarmTarget,
  onLine: (line: Line) => void,
): Promise<Line> {
  const response = await fetch(new URL('/admin/cache/warm', url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ ...fields, input }),
  });
  let last: Line = {};
  let open = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = `${open}${chunk}`.split('\n');
    open = lines.pop() ?? '';
    for (const line of lines) onLine((last = JSON.parse(line) as Line));
  }
  if (open !== '') onLine((last = JSON.parse(open) as Line));
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isNaN(seconds) ? last : { ...last, retryAfterMs: seconds * 1000 };
}
