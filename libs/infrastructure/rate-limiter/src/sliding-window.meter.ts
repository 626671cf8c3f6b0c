import type { Limit } from './limit.ts';
import { type Meter, ROUNDING_MS } from './meter.ts';

/** Slots per window: what a slot holds counts until the end of the slot, so at most a thousandth of the window too long. */
const SLOTS = 1000;
const COMPACT_FROM = 256;

/**
 * A log of what was taken, in slots of a thousandth of the window: never more than the limit in any window, at most
 * 1,001 slots of memory however high the limit is.
 */
export class SlidingWindowMeter implements Meter {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #slotMs: number;
  /** Slot numbers, ascending; slot n ends at `n * slotMs`. Those before `#head` have left the window. */
  #slots: number[] = [];
  #units: number[] = [];
  #head = 0;
  #used = 0;

  constructor({ limit, windowMs }: Limit) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#slotMs = windowMs / SLOTS;
  }

  waitMs(now: number, units: number): number {
    this.#expire(now);
    // What is taken in this window returns in the next: more than the limit needs as many whole windows.
    const windows = Math.max(0, Math.ceil(units / this.#limit) - 1);
    const due = this.#dueAt(now, units - windows * this.#limit);
    const end = windows > 0 ? this.#slotOf(due) * this.#slotMs + windows * this.#windowMs : due;
    return end - now < ROUNDING_MS ? 0 : end - now;
  }

  take(now: number, units: number): void {
    this.#expire(now);
    const slot = this.#slotOf(now);
    const last = this.#slots.length - 1;
    if (last >= this.#head && (this.#slots[last] as number) >= slot)
      this.#units[last] = (this.#units[last] as number) + units;
    else {
      this.#slots.push(slot);
      this.#units.push(units);
    }
    this.#used += units;
  }

  correct(now: number, takenAt: number, delta: number): void {
    if (delta > 0) return this.take(now, delta);
    this.#expire(now);
    const index = this.#slots.indexOf(this.#slotOf(takenAt), this.#head);
    if (index < 0) return;
    const held = this.#units[index] as number;
    const left = Math.max(0, held + delta);
    this.#units[index] = left;
    this.#used -= held - left;
  }

  drain(now: number): void {
    const left = this.#limit - this.used(now);
    if (left > 0) this.take(now, left);
  }

  used(now: number): number {
    this.#expire(now);
    return this.#used;
  }

  /** When so many units, at most the limit, fit. */
  #dueAt(now: number, units: number): number {
    let over = this.#used + units - this.#limit;
    let due = now;
    for (let index = this.#head; over > ROUNDING_MS && index < this.#slots.length; index += 1) {
      over -= this.#units[index] as number;
      due = this.#endOf(index);
    }
    return due;
  }

  #expire(now: number): void {
    while (this.#head < this.#slots.length && this.#endOf(this.#head) <= now + ROUNDING_MS) {
      this.#used -= this.#units[this.#head] as number;
      this.#head += 1;
    }
    if (this.#head === this.#slots.length) {
      if (this.#head === 0) return;
      // Fractions add up to rounding errors; an empty window is a chance to forget them.
      [this.#slots, this.#units, this.#head, this.#used] = [[], [], 0, 0];
    } else if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#slots.length) {
      this.#slots.splice(0, this.#head);
      this.#units.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #endOf(index: number): number {
    return (this.#slots[index] as number) * this.#slotMs + this.#windowMs;
  }

  #slotOf(time: number): number {
    return Math.ceil(time / this.#slotMs - ROUNDING_MS);
  }
}
