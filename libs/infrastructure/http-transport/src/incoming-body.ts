import { Pieces } from '@morgan/foundation';
import type { BodyFlow, BodySink, BodySource } from './body-flow.ts';
import { HELD_BYTES, ResponseBody } from './response-body.ts';
import type { ResponseController } from './response-controller.ts';
import { TransportError } from './transport-error.ts';

interface Collecting {
  readonly limitBytes: number;
  readonly resolve: (bytes: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** How long a body that nobody wants may go on before its connection is given up, in milliseconds. */
const DRAIN_MS = 1_000;

/** Nobody. */
const NO_SINK: BodySink = { push: ignore, end: ignore, fail: ignore };

/**
 * The body of one response as it comes off the socket. Most are small, are here together with their headers and are
 * wanted in one piece: those never become a stream, which would cost more than all else that is done for them. Nor do those that go into a {@link BodySink}.
 */
export class IncomingBody implements BodySource, BodyFlow {
  readonly #pieces = new Pieces();
  #isEnded = false;
  #fault: Error | undefined;
  #collecting: Collecting | undefined;
  #stream: ResponseBody | undefined;
  #sink: BodySink | undefined;
  /** Whether the sink takes nothing for now. */
  #isPaused = false;
  #drainTimer: NodeJS.Timeout | undefined;

  /** @param abandon called at any end, also a clean one: nobody wants the rest. */
  constructor(
    private readonly controller: Pick<ResponseController, 'pause' | 'resume'>,
    private readonly abandon: () => void,
  ) {}

  /** @returns false: the reader is slow, nothing more should come before it resumes the controller. */
  push(chunk: Buffer): boolean {
    if (this.#stream) return this.#stream.push(chunk);
    if (this.#sink && !this.#isPaused) {
      this.#sink.push(chunk);
      return !this.#isPaused;
    }
    this.#pieces.push(chunk);
    if (this.#sink) return false;
    const { length } = this.#pieces;
    if (!this.#collecting) return length < HELD_BYTES;
    if (length <= this.#collecting.limitBytes) return true;
    this.#take()?.resolve(undefined);
    return false;
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#drainTimer);
    if (this.#stream) this.#stream.push(null);
    else if (this.#sink) this.#isPaused || this.#sink.end();
    else this.#take()?.resolve(this.#all());
  }

  fail(fault: Error): void {
    clearTimeout(this.#drainTimer);
    if (this.#stream) this.#stream.destroy(fault);
    else {
      this.#fault = fault;
      this.#pieces.clear();
      this.#sink?.fail(fault);
      this.#take()?.reject(fault);
    }
  }

  /** Gives up whatever is not read yet. */
  discard(): void {
    if (this.#stream) this.#stream.destroy();
    else {
      this.fail(this.#fault ?? new TransportError('aborted', false));
      this.abandon();
    }
  }

  into(sink: BodySink): BodyFlow {
    this.#sink = sink;
    this.#isPaused = true;
    return this;
  }

  pause(): void {
    this.#isPaused = true;
    this.controller.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const { list } = this.#pieces;
    this.#pieces.clear();
    // The sink may pause again: the rest is held then.
    for (const piece of list) this.push(piece);
    if (this.#isPaused) return;
    if (this.#fault) this.#sink?.fail(this.#fault);
    else if (this.#isEnded) this.#sink?.end();
    else this.controller.resume();
  }

  drain(): void {
    this.#sink = NO_SINK;
    this.resume();
    if (!this.#isEnded && !this.#fault) this.#drainTimer = setTimeout(this.abandon, DRAIN_MS).unref();
  }

  destroy(): void {
    this.#sink = NO_SINK;
    this.#pieces.clear();
    clearTimeout(this.#drainTimer);
    this.abandon();
  }

  /** The body as a stream, beginning with what has come and was not taken. */
  get stream(): ResponseBody {
    if (this.#stream) return this.#stream;
    const stream = new ResponseBody(this.controller, this.abandon);
    this.#stream = stream;
    for (const piece of this.#pieces.list) stream.push(piece);
    this.#pieces.clear();
    if (this.#fault) stream.destroy(this.#fault);
    else if (this.#isEnded) stream.push(null);
    return stream;
  }

  /**
   * The whole body, if it has no more bytes than that; else nothing, and all of it is still to be read from the stream.
   * Rejects with the body's fault, or with `first_byte_timeout` where it takes longer than that.
   */
  upTo(limitBytes: number, timeoutMs?: number): Promise<Buffer | undefined> {
    if (this.#fault) return Promise.reject(this.#fault);
    if (this.#stream || this.#pieces.length > limitBytes) return Promise.resolve(undefined);
    if (this.#isEnded) return Promise.resolve(this.#all());
    return new Promise((resolve, reject) => {
      const late = () => this.#take()?.reject(new TransportError('first_byte_timeout', false));
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs);
      this.#collecting = { limitBytes, resolve, reject, timer };
      this.controller.resume();
    });
  }

  /** As {@link ResponseBody.bytes}. */
  async bytes(limitBytes = Infinity): Promise<Buffer> {
    if (this.#stream) return this.#stream.bytes(limitBytes);
    const bytes = await this.upTo(limitBytes);
    if (bytes) return bytes;
    const error = new TransportError('too_large', false);
    this.fail(error);
    this.abandon();
    throw error;
  }

  #all(): Buffer {
    const whole = this.#pieces.whole();
    this.#pieces.clear();
    return whole;
  }

  #take(): Collecting | undefined {
    const collecting = this.#collecting;
    this.#collecting = undefined;
    clearTimeout(collecting?.timer);
    return collecting;
  }
}

function ignore(): void {}
