import type { CallContext, Policy, Work } from '@morgan/foundation';

/** What a {@link KeyedPolicy} is made of. */
export interface KeyedPolicyOptions<One extends Policy> {
  /** Makes the policy of a key that is not there. */
  readonly create: (key: string) => One;
  /** Keys without a call that are remembered, with what they have learned. The one idle for longest goes first. */
  readonly maxIdleKeys?: number;
}

interface Entry<One> {
  readonly policy: One;
  /** Calls in it: going on or waiting. */
  calls: number;
}

/**
 * One policy for each key: a bulkhead for each host, a timeout for each tenant. It holds the keys that have calls now
 * and at most `maxIdleKeys` (default 1,000) others, so that its memory is bounded whatever keys come.
 */
export class KeyedPolicy<One extends Policy> {
  readonly #busy = new Map<string, Entry<One>>();
  /** The first is idle for longest. */
  readonly #idle = new Map<string, Entry<One>>();
  readonly #create: (key: string) => One;
  readonly #maxIdleKeys: number;

  constructor({ create, maxIdleKeys = 1_000 }: KeyedPolicyOptions<One>) {
    this.#create = create;
    this.#maxIdleKeys = maxIdleKeys;
  }

  /** Keys that are held now. */
  get size(): number {
    return this.#busy.size + this.#idle.size;
  }

  async execute<Result>(key: string, work: Work<Result>, context: CallContext): Promise<Result> {
    const entry = this.#enter(key);
    try {
      return await entry.policy.execute(work, context);
    } finally {
      this.#leave(key, entry);
    }
  }

  /** The policy of one key, for `compose`. It may be kept: it finds or makes its key at every call. */
  for(key: string): Policy {
    return { execute: (work, context) => this.execute(key, work, context) };
  }

  /** The policies that are held now. */
  *values(): IterableIterator<One> {
    for (const { policy } of this.#busy.values()) yield policy;
    for (const { policy } of this.#idle.values()) yield policy;
  }

  /** The policy of a key, where it is held: for status. */
  peek(key: string): One | undefined {
    return (this.#busy.get(key) ?? this.#idle.get(key))?.policy;
  }

  #enter(key: string): Entry<One> {
    let entry = this.#busy.get(key);
    if (!entry) {
      entry = this.#idle.get(key) ?? { policy: this.#create(key), calls: 0 };
      this.#idle.delete(key);
      this.#busy.set(key, entry);
    }
    entry.calls += 1;
    return entry;
  }

  #leave(key: string, entry: Entry<One>): void {
    entry.calls -= 1;
    if (entry.calls > 0) return;
    this.#busy.delete(key);
    this.#idle.set(key, entry);
    if (this.#idle.size <= this.#maxIdleKeys) return;
    const [oldest] = this.#idle.keys();
    if (oldest !== undefined) this.#idle.delete(oldest);
  }
}
