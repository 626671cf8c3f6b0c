import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { seededRandom } from '@morgan/testing';

/** A call that is not answered by then hangs. */
const HANGS_AFTER_MS = 30_000;
/** What the attacker may be told, beside vectors: that the text is refused, or that it should come later. */
const REFUSALS = [400, 413, 422, 429, 503];
const SHOWN_CHARACTERS = 300;
const WORDS = 'the of and to in is that for it as was with be by on not he his but at are this have'.split(
  ' ',
);
const MEGABYTE = 1_000_000;
const LONG_SIZES = [0.25, 1, 4, 15].map((megabytes) => megabytes * MEGABYTE);
const LONG_KINDS: readonly ((size: number) => string)[] = [
  (size) => `${WORDS.join(' ')} `.repeat(Math.ceil(size / WORDS.join(' ').length)).slice(0, size),
  (size) => 'a'.repeat(size),
  (size) => ' '.repeat(size),
  (size) => Buffer.alloc((size * 3) / 4, 'any bytes').toString('base64'),
];
/** Stands where a text begins and is written over, so that none of them is cached. */
const SERIAL = '0'.repeat(12);

/** What a caller sends in a call, and how long it rests between two. */
export interface CallerOptions {
  readonly name: string;
  readonly seed: number;
  /** Texts of a call at most. */
  readonly mostTexts: number;
  readonly longestPauseMs: number;
}

/** A caller with texts of any length up to the limit of the model, one call after the other. */
export class EmbeddingCaller {
  readonly name: string;
  /** How long each call took since they were last taken away, in milliseconds. */
  times: number[] = [];
  readonly wrong: string[] = [];
  readonly #options: CallerOptions;
  readonly #random: () => number;
  readonly #pool: Pool;

  /** @param limit tokens, which are words here, that a text has at most */
  constructor(
    origin: string,
    options: CallerOptions,
    private readonly limit: number,
  ) {
    this.name = options.name;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#pool = new Pool(origin, { connections: 1 });
  }

  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const texts = Array.from({ length: this.#below(this.#options.mostTexts) }, () => this.#text());
      const begunAt = performance.now();
      const { status, text } = await post(this.#pool, bodyOf(texts));
      this.times.push(performance.now() - begunAt);
      if (status !== 200 || vectorsIn(text) !== texts.length)
        this.wrong.push(`${status}: ${text.slice(0, SHOWN_CHARACTERS)}`);
      await delay(this.#random() * this.#options.longestPauseMs);
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #text(): string {
    return Array.from({ length: this.#below(this.limit) }, () => WORDS[this.#below(WORDS.length) - 1]).join(
      ' ',
    );
  }

  /** From 1 to `most`. */
  #below(most: number): number {
    return 1 + Math.floor(this.#random() * most);
  }
}

/** Sends one giant text after the other, without a rest. */
export class LongTextAttacker {
  /** Responses by status. */
  readonly statuses: Record<number, number> = {};
  readonly wrong: string[] = [];
  readonly #random: () => number;
  readonly #pool: Pool;
  // Made once: texts of megabytes that are made between the calls of others would delay those, and look like the service.
  readonly #bodies = LONG_KINDS.flatMap((kind) =>
    LONG_SIZES.map((size) => Buffer.from(bodyOf([SERIAL + kind(size)]))),
  );
  #serial = 0;

  constructor(origin: string, seed: number) {
    this.#random = seededRandom(seed);
    this.#pool = new Pool(origin, { connections: 1 });
  }

  async run(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      const { status, text } = await post(this.#pool, this.#nextBody());
      this.statuses[status] = (this.statuses[status] ?? 0) + 1;
      const isRight = status === 200 ? vectorsIn(text) === 1 : REFUSALS.includes(status);
      if (!isRight) this.wrong.push(`${status}: ${text.slice(0, SHOWN_CHARACTERS)}`);
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #nextBody(): Buffer {
    const body = this.#bodies[Math.floor(this.#random() * this.#bodies.length)] as Buffer;
    this.#serial += 1;
    body.write(String(this.#serial).padStart(SERIAL.length, '0'), body.indexOf('["') + 2);
    return body;
  }
}

function bodyOf(input: readonly string[]): string {
  return JSON.stringify({ model: 'default', input, encoding_format: 'base64' });
}

async function post(pool: Pool, body: string | Buffer): Promise<{ status: number; text: string }> {
  try {
    const response = await pool.request({
      path: '/v1/embeddings',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(HANGS_AFTER_MS),
    });
    return { status: response.statusCode, text: await response.body.text() };
  } catch (error) {
    return { status: 0, text: (error as Error).message };
  }
}

function vectorsIn(text: string): number {
  return (JSON.parse(text) as { data: readonly unknown[] }).data.length;
}
