import { capacityOf, type Limit } from './limit.ts';
import type { Ask, Correction, LimitStore, StoreDecision, StoreStatus } from './limit-store.ts';
import type { Meter } from './meter.ts';
import { SlidingWindowMeter } from './sliding-window.meter.ts';
import { TokenBucketMeter } from './token-bucket.meter.ts';

const LOOKS_PER_SWEEP = 8;

interface Entry {
  readonly meter: Meter;
  blockedUntil: number;
}

/**
 * Keeps the use of every key in this process. New keys look at two others in turn, and every eighth look at a known key
 * at one, and drop them when they are idle: memory follows the keys in use without a timer.
 */
export class LocalLimitStore implements LimitStore {
  readonly #limit: Limit;
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  #looks = 0;
  #round = this.#entries.entries();

  constructor(limit: Limit) {
    this.#limit = limit;
    this.#capacity = capacityOf(limit);
  }

  decideNow(key: string, asks: readonly Ask[], ahead: number): StoreDecision {
    const at = performance.now();
    const entry = this.#entry(key, at);
    let before = ahead;
    const waits: number[] = [];
    for (const { cost, patienceMs } of asks) {
      const charge = this.chargeOf(cost);
      const wait = this.#takeOrWait(entry, at, charge, before);
      if (wait > 0 && wait <= patienceMs) before += charge;
      waits.push(wait);
    }
    return { at, waits, utilisation: entry.meter.used(at) / this.#capacity, decidedBy: this };
  }

  decide(key: string, asks: readonly Ask[], ahead: number): Promise<StoreDecision> {
    return Promise.resolve(this.decideNow(key, asks, ahead));
  }

  peekWaitMs(key: string, cost: number): number {
    const entry = this.#entries.get(key);
    if (!entry) return 0;
    const now = performance.now();
    const from = Math.max(now, entry.blockedUntil);
    return from - now + entry.meter.waitMs(from, cost);
  }

  correct(key: string, { takenAt, from, to }: Correction): void {
    // Of a cost above the capacity no more was taken than that: no more comes back.
    const delta = to > from ? to - from : this.chargeOf(to) - this.chargeOf(from);
    const now = performance.now();
    if (delta !== 0) this.#entry(key, now).meter.correct(now, takenAt, delta);
  }

  chargeOf(cost: number): number {
    return Math.min(cost, this.#capacity);
  }

  penalize(key: string, ms: number): Promise<void> {
    const now = performance.now();
    const entry = this.#entry(key, now);
    entry.blockedUntil = Math.max(entry.blockedUntil, now + ms);
    return Promise.resolve();
  }

  drain(key: string): Promise<void> {
    const now = performance.now();
    this.#entry(key, now).meter.drain(now);
    return Promise.resolve();
  }

  used(key: string): Promise<number> {
    return Promise.resolve(this.#entries.get(key)?.meter.used(performance.now()) ?? 0);
  }

  getStatus(): StoreStatus {
    return { kind: 'local', degraded: false, failures: 0, keys: this.#entries.size };
  }

  stop(): void {}

  #takeOrWait({ meter, blockedUntil }: Entry, now: number, cost: number, ahead: number): number {
    const from = Math.max(now, blockedUntil);
    const wait = from - now + meter.waitMs(from, ahead + cost);
    if (ahead > 0) return Math.max(wait, Number.MIN_VALUE);
    if (wait === 0) meter.take(now, cost);
    return wait;
  }

  #entry(key: string, now: number): Entry {
    const known = this.#entries.get(key);
    if (known) {
      this.#looks = (this.#looks + 1) % LOOKS_PER_SWEEP;
      // Not itself: what is about to be taken from it would be forgotten with it.
      if (this.#looks === 0) this.#dropOneIdle(now, known);
      return known;
    }
    this.#dropOneIdle(now);
    this.#dropOneIdle(now);
    const meter =
      this.#limit.algorithm === 'token-bucket'
        ? new TokenBucketMeter(this.#limit)
        : new SlidingWindowMeter(this.#limit);
    const entry = { meter, blockedUntil: -Infinity };
    this.#entries.set(key, entry);
    return entry;
  }

  #dropOneIdle(now: number, spared?: Entry): void {
    const next = this.#round.next();
    if (next.done) {
      this.#round = this.#entries.entries();
      return;
    }
    const [key, entry] = next.value;
    if (entry === spared || entry.blockedUntil > now || entry.meter.used(now) > 0) return;
    this.#entries.delete(key);
  }
}
