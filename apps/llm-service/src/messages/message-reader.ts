import { once } from 'node:events';
import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode, type JsonObject } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import { messageResponse } from './message-response.ts';
import {
  type AskedModel,
  type BodyWithoutForeignParts,
  bodyWithoutForeignParts,
  type ChatBody,
  chatBody,
  tokensOfMessage,
} from './message-body.ts';
import { type StreamWanted, type JsonAsStream, jsonAsStream } from './json-as-stream.ts';

/** What is read here takes up to 14 ms a megabyte, in which nobody else has a turn. */
const LARGE_BYTES = 512 * 1024;
/** Many smaller ones may be read before somebody else has a turn. */
const SMALL_BYTES = 32 * 1024;
/** Copied in one go. */
const PIECE_BYTES = 1024 * 1024;
/** A thread without work gives its memory back after this time. */
const IDLE_MS = 30_000;

/** What is to be made of the bytes that a thread gets. */
type Work =
  /** Of a message the chat completion for such a model. */
  | { readonly kind: 'chat'; readonly asked: AskedModel }
  /** Of a message or a response the same without what was thought at another host, for one that has refused it so. */
  | { readonly kind: 'withoutForeignParts'; readonly error: ReportedError }
  /** Of a message how many tokens it has. */
  | { readonly kind: 'tokens' }
  /** Of the response to a chat completion that to such a message. */
  | { readonly kind: 'response'; readonly message: JsonObject }
  /** Of a response the stream that was asked for. */
  | { readonly kind: 'events'; readonly asked: StreamWanted };

/** What a thread gets to do. */
export type MessageTask = Work & { readonly bytes: Uint8Array<ArrayBuffer> };

/** What became of a task. An error of the caller's is told by its parts: classes do not pass from thread to thread. */
export type MessageResult =
  | { readonly chat: ChatBody }
  | { readonly withoutForeignParts: BodyWithoutForeignParts | undefined }
  | { readonly tokens: number }
  | { readonly response: Uint8Array<ArrayBuffer> }
  | { readonly events: JsonAsStream | undefined }
  | {
      readonly refusal: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly param: string | undefined;
      };
    };

/**
 * Reads messages whose content the gateway itself has to know, and responses that take another form. Large ones are read one after the other in
 * a thread of their own, which begins with the first of them and ends when there was none for a while: the event loop goes on meanwhile.
 */
export class MessageReader {
  #last: Promise<unknown> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();
  #thread: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** @throws AppError about what there is no counterpart for. */
  async chat(message: Buffer, asked: AskedModel): Promise<ChatBody> {
    if (message.length < LARGE_BYTES) return this.#here(message, () => chatBody(message, asked));
    return resultIn(await this.#inThread(message, { kind: 'chat', asked }), 'chat');
  }

  /** @returns undefined where there is nothing to take out. */
  async withoutForeignParts(
    body: Buffer,
    error: ReportedError,
  ): Promise<BodyWithoutForeignParts | undefined> {
    if (body.length < LARGE_BYTES) return this.#here(body, () => bodyWithoutForeignParts(body, error));
    return resultIn(
      await this.#inThread(body, { kind: 'withoutForeignParts', error }),
      'withoutForeignParts',
    );
  }

  /** @throws AppError `invalid_type` where there is nothing to count. */
  async tokens(message: Buffer): Promise<number> {
    if (message.length < LARGE_BYTES) return this.#here(message, () => tokensOfMessage(message));
    return resultIn(await this.#inThread(message, { kind: 'tokens' }), 'tokens');
  }

  /** @throws AppError `host_error` where it is none. */
  async response(completion: Buffer, message: JsonObject): Promise<Uint8Array<ArrayBuffer>> {
    if (completion.length < LARGE_BYTES)
      return this.#here(completion, () => messageResponse(completion, message));
    return resultIn(await this.#inThread(completion, { kind: 'response', message }), 'response');
  }

  /** @throws AppError `host_error` about what cannot be told. */
  async events(response: Buffer, asked: StreamWanted): Promise<JsonAsStream | undefined> {
    if (response.length < LARGE_BYTES) return this.#here(response, () => jsonAsStream(response, asked));
    return resultIn(await this.#inThread(response, { kind: 'events', asked }), 'events');
  }

  /** One in a turn of the event loop: all that come together would hold it up as long as all of them take. */
  async #here<Result>(bytes: Buffer, read: () => Result): Promise<Result> {
    if (bytes.length >= SMALL_BYTES) await (this.#turn = this.#turn.then(() => setImmediate()));
    return read();
  }

  #inThread(bytes: Buffer, work: Work): Promise<MessageResult> {
    const turn = this.#last.then(() => this.#run(bytes, work));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** @throws Error where the thread ended, for want of memory */
  async #run(bytes: Buffer, work: Work): Promise<MessageResult> {
    clearTimeout(this.#idle);
    this.#thread ??= this.#start();
    const task: MessageTask = { bytes: await copyOf(bytes), ...work };
    // It may have ended meanwhile.
    const thread = (this.#thread ??= this.#start());
    const over = new AbortController();
    try {
      const result = once(thread, 'message', over);
      const end = once(thread, 'exit', over).then(([code]) => {
        throw new Error(`the thread that reads messages ended with code ${code}`);
      });
      thread.postMessage(task, [task.bytes.buffer]);
      const [value] = (await Promise.race([result, end])) as [MessageResult];
      return value;
    } finally {
      over.abort();
      this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
    }
  }

  #start(): Worker {
    // Source runs `.ts`, a build runs `.js`.
    const thread = new Worker(new URL(`./message.thread${extname(import.meta.url)}`, import.meta.url));
    thread.once('exit', () => {
      if (this.#thread === thread) this.#thread = undefined;
    });
    // Whoever waits for it hears of it, and nobody else has to.
    thread.on('error', () => undefined).unref();
    return thread;
  }

  #end(): void {
    void this.#thread?.terminate();
    this.#thread = undefined;
  }
}

/** What is handed over is gone here, and may have to be sent to a host as it is. */
async function copyOf(bytes: Buffer): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    copy.set(bytes.subarray(at, at + PIECE_BYTES), at);
    await setImmediate();
  }
  return copy;
}

function resultIn<Kind extends Work['kind']>(
  result: MessageResult,
  kind: Kind,
): Extract<MessageResult, Record<Kind, unknown>>[Kind] {
  if (!('refusal' in result)) return (result as Extract<MessageResult, Record<Kind, unknown>>)[kind];
  const { code, message, param } = result.refusal;
  throw new AppError(code, message, { param });
}
