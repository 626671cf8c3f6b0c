import { Pieces } from '@morgan/foundation';
import type { BodyFlow, BodySink } from './body-flow.ts';
import type { ResponseController } from './response-controller.ts';

/** How long a body that nobody wants may go on before its connection is given up, in milliseconds. */
const DRAIN_MS = 1_000;

const NOBODY: BodySink = { push: ignore, end: ignore, fail: ignore };

/** The bytes of a response on their way into a sink: what comes while that rests is held, and it is what one read has brought. */
export class FlowingBody implements BodyFlow {
  #sink: BodySink;
  readonly #held = new Pieces();
  #hasBegun = false;
  #isPaused = true;
  #isEnded = false;
  /** What has gone wrong before it began. */
  #fault: Error | undefined;
  #drainTimer: NodeJS.Timeout | undefined;

  /** @param abandon called where nobody wants the rest. */
  constructor(
    sink: BodySink,
    private readonly controller: Pick<ResponseController, 'pause' | 'resume'>,
    private readonly abandon: () => void,
  ) {
    this.#sink = sink;
  }

  /** @returns false: nothing more should come before the controller is resumed. */
  push(chunk: Buffer): boolean {
    if (this.#isPaused) this.#held.push(chunk);
    else this.#sink.push(chunk);
    return !this.#isPaused;
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#drainTimer);
    if (!this.#isPaused) this.#lastSink().end();
  }

  fail(fault: Error): void {
    this.#isEnded = true;
    clearTimeout(this.#drainTimer);
    this.#held.clear();
    if (this.#hasBegun) this.#lastSink().fail(fault);
    else this.#fault = fault;
  }

  pause(): void {
    this.#isPaused = true;
    this.controller.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#hasBegun = true;
    this.#isPaused = false;
    const { list } = this.#held;
    this.#held.clear();
    // The sink may pause again: the rest is held then.
    for (const piece of list) this.push(piece);
    if (this.#isPaused) return;
    if (this.#fault) this.#lastSink().fail(this.#fault);
    else if (this.#isEnded) this.#lastSink().end();
    else this.controller.resume();
  }

  drain(): void {
    this.#sink = NOBODY;
    this.resume();
    if (!this.#isEnded) this.#drainTimer = setTimeout(this.abandon, DRAIN_MS).unref();
  }

  destroy(): void {
    this.#sink = NOBODY;
    this.#held.clear();
    clearTimeout(this.#drainTimer);
    this.abandon();
  }

  /** Nothing is said behind an end. */
  #lastSink(): BodySink {
    const sink = this.#sink;
    this.#sink = NOBODY;
    return sink;
  }
}

function ignore(): void {}
