import { AppError, callStopped } from '@morgan/foundation';
import type { ProcessPool } from '../processes/process-pool.ts';
import { unpackTokens } from '../processes/packed-tokens.ts';
import type { TextToken } from '../model/tokenizer/token-encoder.ts';

/** Characters of one task: what a text that is to be embedded waits for at most while the tokenizer is at it. */
const TASK_CHARACTERS = 65_536;
/** Tasks of all calls that may wait. */
const MOST_WAITING = 256;
const RETRY_AFTER_MS = 1_000;
/** Tokens of one call: some 16 MB as JSON. They are held until the caller has read them. */
const MOST_TOKENS = 262_144;

interface Waiting {
  readonly texts: readonly string[];
  readonly specials: boolean;
  readonly resolve: (tokens: readonly (readonly TextToken[])[]) => void;
  readonly reject: (error: AppError) => void;
}

/** Which tokens texts have, for callers who want to see them. Takes turns with texts that are to be embedded. */
export class TokenLister {
  readonly #pool: ProcessPool;
  #waiting: Waiting[] = [];
  #isNext = true;

  constructor(pool: ProcessPool) {
    this.#pool = pool;
  }

  /**
   * The tokens of each text, uncut.
   * @param specials whether special tokens are put around each text
   * @throws AppError `invalid_value` for a text that is too long, `context_length_exceeded` for texts of too many tokens together,
   * `queue_full`, `inference_failed`
   */
  async list(
    texts: readonly string[],
    specials: boolean,
    signal: AbortSignal,
  ): Promise<readonly (readonly TextToken[])[]> {
    const parts = partsOf(texts);
    if (this.#waiting.length + parts.length > MOST_WAITING + 1) throw queueFull();
    let count = 0;
    const own = new Set<Waiting>();
    const tasks = parts.map(async (part) => {
      const tokens = await new Promise<readonly (readonly TextToken[])[]>((resolve, reject) => {
        const task = { texts: part, specials, resolve, reject };
        own.add(task);
        this.#waiting.push(task);
      });
      count += tokens.reduce((sum, list) => sum + list.length, 0);
      if (count > MOST_TOKENS) throw tooManyTokens();
      return tokens;
    });
    const leave = () =>
      this.#drop(
        (task) => own.has(task),
        () => callStopped(signal),
      );
    signal.addEventListener('abort', leave, { once: true });
    this.dispatch();
    try {
      return (await Promise.all(tasks)).flat();
    } finally {
      signal.removeEventListener('abort', leave);
      leave();
    }
  }

  /** Hands one task to a free process, every other time that it is asked. */
  dispatch(): void {
    if (this.#pool.free === 0) return;
    const task = this.#isNext ? this.#waiting.shift() : undefined;
    this.#isNext = task === undefined;
    if (task) void this.#run(task);
  }

  refuseAll(reason: () => AppError): void {
    this.#drop(() => true, reason);
  }

  async #run({ texts, specials, resolve, reject }: Waiting): Promise<void> {
    try {
      const { lists } = await this.#pool.run('list', { texts, specials, most: MOST_TOKENS });
      if (lists) resolve(lists.map(unpackTokens));
      else reject(tooManyTokens());
    } catch (cause) {
      reject(new AppError('inference_failed', 'The tokenizer failed on these texts.', { cause }));
    }
  }

  #drop(which: (task: Waiting) => boolean, reason: () => AppError): void {
    const dropped = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((task) => !which(task));
    for (const { reject } of dropped) reject(reason());
  }
}

function partsOf(texts: readonly string[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const [index, text] of texts.entries()) {
    if (text.length > TASK_CHARACTERS)
      throw new AppError(
        'invalid_value',
        `The text has ${text.length} characters; tokens are listed of ${TASK_CHARACTERS} at most.`,
        { param: `inputs[${index}]` },
      );
    if (text.length >= room || parts.length === 0) {
      parts.push([]);
      room = TASK_CHARACTERS;
    }
    parts.at(-1)?.push(text);
    // An empty text costs something too.
    room -= text.length + 1;
  }
  return parts;
}

function tooManyTokens(): AppError {
  return new AppError(
    'context_length_exceeded',
    `The inputs have more than ${MOST_TOKENS} tokens together, which is the most that are listed in one call.`,
    { param: 'inputs' },
  );
}

function queueFull(): AppError {
  return new AppError('queue_full', `At most ${MOST_WAITING} parts of texts may wait for the tokenizer.`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
