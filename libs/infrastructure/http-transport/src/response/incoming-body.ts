import { Pieces } from '@morgan/foundation';
import type { BodyFlow, BodySink, BodySource } from './body-flow.ts';
import { FlowingBody } from './flowing-body.ts';
import { HELD_BYTES, ResponseBody } from './response-body.ts';
import type { ResponseController } from './response-controller.ts';
import { TransportError } from '../transport-error.ts';

interface Collecting {
  readonly limitBytes: number;
  readonly resolve: (bytes: Buffer | undefined) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/**
 * The body of one response as it comes off the socket. Most are small, are here together with their headers and are
 * wanted in one piece: those never become a stream, which would cost more than all else that is done for them. Nor do those that
 * go into a sink.
 */
export class IncomingBody implements BodySource {
  readonly #pieces = new Pieces();
  #isEnded = false;
  #fault: Error | undefined;
  #collecting: Collecting | undefined;
  #stream: ResponseBody | undefined;
  #flow: FlowingBody | undefined;

  /** @param abandon called at any end, also a clean one: nobody wants the rest. */
  constructor(
    private readonly controller: Pick<ResponseController, 'pause' | 'resume'>,
    private readonly abandon: () => void,
  ) {}

  /** @returns false: the reader is slow, nothing more should come before it resumes the controller. */
  push(chunk: Buffer): boolean {
    if (this.#stream) return this.#stream.push(chunk);
    if (this.#flow) return this.#flow.push(chunk);
    this.#pieces.push(chunk);
    const { length } = this.#pieces;
    if (!this.#collecting) return length < HELD_BYTES;
    if (length <= this.#collecting.limitBytes) return true;
    this.#take()?.resolve(undefined);
    return false;
  }

  end(): void {
    this.#isEnded = true;
    if (this.#stream) this.#stream.push(null);
    else if (this.#flow) this.#flow.end();
    else this.#take()?.resolve(this.#all());
  }

  fail(fault: Error): void {
    if (this.#stream) this.#stream.destroy(fault);
    else if (this.#flow) this.#flow.fail(fault);
    else {
      this.#fault = fault;
      this.#pieces.clear();
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

  /** The body as a stream, beginning with what has come and was not taken. */
  get stream(): ResponseBody {
    if (this.#stream) return this.#stream;
    const stream = new ResponseBody(this.controller, this.abandon);
    this.#stream = stream;
    for (const piece of this.#taken()) stream.push(piece);
    if (this.#fault) stream.destroy(this.#fault);
    else if (this.#isEnded) stream.push(null);
    return stream;
  }

  into(sink: BodySink): BodyFlow {
    const flow = new FlowingBody(sink, this.controller, this.abandon);
    this.#flow = flow;
    for (const piece of this.#taken()) flow.push(piece);
    if (this.#fault) flow.fail(this.#fault);
    else if (this.#isEnded) flow.end();
    return flow;
  }

  #taken(): readonly Buffer[] {
    const { list } = this.#pieces;
    this.#pieces.clear();
    return list;
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
