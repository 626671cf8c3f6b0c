/** One clock for a streamed call: its end is a sign that the first token is late, not a limit. */
export class FirstTokenClock {
  /** Resolves once, when it is late; never after {@link FirstTokenClock.stop}. */
  late: Promise<undefined>;
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.late = promise;
    this.#timer = setTimeout(() => resolve(undefined), limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.late = Promise.withResolvers<undefined>().promise;
  }
}
