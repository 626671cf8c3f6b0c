import { LatestMap } from '@morgan/foundation';

/** The share of failures is that of the latest 20 calls. Fewer than 10 calls say nothing. */
const MOST_CALLS = 20;
const LEAST_CALLS = 10;
const SHARE = 0.5;
/** How long one more failure keeps a host behind the others for such requests, in milliseconds. */
const BEHIND_MS = 10_000;
/** Models are named by callers: only the latest so many are remembered. */
const MOST_KINDS = 100;

interface Latest {
  /** Whether each of them failed, the oldest first. */
  readonly failed: boolean[];
  behindUntil: number;
}

/**
 * Which kinds of requests, for a model on a path, fail half of the time at a host, or more. A breaker counts failures in a
 * row: one of two replicas behind one name, or one of two cards, may fail all of its calls and never make five of them.
 */
export class HalfFailures {
  readonly #kinds = new LatestMap<string, Latest>(MOST_KINDS);

  /** A call has ended that says something of the host. */
  ended(kind: string, hasFailed: boolean): void {
    const known = this.#latestOf(kind);
    // As nearly always.
    if (!known && !hasFailed) return;
    const latest = known ?? { failed: [], behindUntil: -Infinity };
    latest.failed.push(hasFailed);
    if (latest.failed.length > MOST_CALLS) latest.failed.shift();
    const failures = latest.failed.filter(Boolean).length;
    if (hasFailed && latest.failed.length >= LEAST_CALLS && failures >= SHARE * latest.failed.length)
      latest.behindUntil = performance.now() + BEHIND_MS;
    if (failures > 0) this.#kinds.set(kind, latest);
    else this.#kinds.delete(kind);
  }

  /** Forgets all of it: the breaker decides instead. */
  clear(): void {
    if (this.#kinds.size > 0) this.#kinds.clear();
  }

  /** Whether others are to be asked first. */
  has(kind: string): boolean {
    const latest = this.#latestOf(kind);
    return latest !== undefined && performance.now() < latest.behindUntil;
  }

  #latestOf(kind: string): Latest | undefined {
    // As nearly always there are none: a key that is not looked for is never put together.
    return this.#kinds.size > 0 ? this.#kinds.get(kind) : undefined;
  }
}
