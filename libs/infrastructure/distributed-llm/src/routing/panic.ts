import type { Host } from '../hosts/host.ts';

/** How much is let through where nothing good is left. */
interface PanicOptions {
  /** Of the calls that find no good target, the share that may try one all the same. */
  readonly share: number;
  /** How many of them may be at one host at a time. */
  readonly concurrency: number;
  /** How many of them may begin at one host in a second. */
  readonly maxPerSecond: number;
}

interface Trials {
  inFlight: number;
  /** How many may begin at once, as of a moment. */
  left: number;
  at: number;
}

/**
 * Where every target fails, rests by its own fault or looks down, there is no better choice than to ask one: the calls
 * that do are bounded, in number as hosts may hang, and in time as hosts may fail at once. The first that succeeds ends
 * the panic.
 */
export class Panic {
  readonly #hosts = new Map<Host, Trials>();

  constructor(
    private readonly options: PanicOptions,
    private readonly random: () => number = Math.random,
  ) {}

  /** Whether one more such call may go to the host now. */
  hasRoom(host: Host): boolean {
    const trials = this.#trialsOf(host);
    return trials.inFlight < this.options.concurrency && trials.left >= 1;
  }

  /** Whether this call may take part in a panic. Drawn once for each call. */
  lets(): boolean {
    return this.random() < this.options.share;
  }

  started(host: Host): void {
    const trials = this.#trialsOf(host);
    trials.inFlight += 1;
    trials.left -= 1;
  }

  ended(host: Host): void {
    this.#trialsOf(host).inFlight -= 1;
  }

  /** A second's worth may begin at once; it comes back by and by. */
  #trialsOf(host: Host): Trials {
    const now = performance.now();
    const { maxPerSecond } = this.options;
    let trials = this.#hosts.get(host);
    if (!trials) this.#hosts.set(host, (trials = { inFlight: 0, left: maxPerSecond, at: now }));
    trials.left = Math.min(maxPerSecond, trials.left + ((now - trials.at) * maxPerSecond) / 1_000);
    trials.at = now;
    return trials;
  }
}
