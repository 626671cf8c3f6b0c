/** Of so many of the latest calls at most the share is taken, and of fewer than the second it says nothing. */
const MOST_CALLS = 20;
const LEAST_CALLS = 10;
const SHARE = 0.5;
/** How long one more failure keeps a host behind the others for that model, in milliseconds. */
const BEHIND_MS = 10_000;
/** Models are named by callers: only the latest so many are remembered. */
const MOST_MODELS = 100;

interface Latest {
  /** Whether each of them failed, the oldest first. */
  readonly failed: boolean[];
  behindUntil: number;
}

/**
 * Which models fail in half of their calls at a host, or more. A breaker counts failures in a row: one of two replicas
 * behind one name, or one of two cards, may fail all of its calls and never make five of them.
 */
export class HalfFailures {
  readonly #models = new Map<string | undefined, Latest>();

  /** A call has ended that says something of the host. */
  ended(model: string | undefined, hasFailed: boolean): void {
    const known = this.#models.get(model);
    // As nearly always.
    if (!known && !hasFailed) return;
    const latest = known ?? { failed: [], behindUntil: -Infinity };
    latest.failed.push(hasFailed);
    if (latest.failed.length > MOST_CALLS) latest.failed.shift();
    const failures = latest.failed.filter(Boolean).length;
    if (hasFailed && latest.failed.length >= LEAST_CALLS && failures >= SHARE * latest.failed.length)
      latest.behindUntil = performance.now() + BEHIND_MS;
    this.#models.delete(model);
    if (failures > 0) this.#models.set(model, latest);
    if (this.#models.size > MOST_MODELS) this.#models.delete(this.#models.keys().next().value);
  }

  /** Whatever there was is decided otherwise. */
  clear(): void {
    if (this.#models.size > 0) this.#models.clear();
  }

  /** Whether others are to be asked first. */
  has(model: string | undefined): boolean {
    const latest = this.#models.get(model);
    return latest !== undefined && performance.now() < latest.behindUntil;
  }
}
