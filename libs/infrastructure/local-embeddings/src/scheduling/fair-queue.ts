import { LinkedList, type ListPlace } from '@morgan/foundation';
import { BatchComposition, type BatchLimits } from './batch-composition.ts';
import type { EmbeddingJob } from './embedding-job.ts';
import type { QueueItem } from './queue-item.ts';
import { TurnOrder } from './turn-order.ts';

/** Batches that may pass a job over before it goes first. */
const MOST_PASSED_OVER = 4;

/** Whoever takes turns with others. */
interface Taker {
  /** Size taken so far, counted from what others had taken when this one came. */
  served: number;
}

/** Whose jobs wait. */
interface Caller extends Taker {
  readonly name: string;
  readonly lines: LinkedList<Line>;
}

/** The items of one job, the longest first. */
export interface Line extends Taker {
  readonly job: EmbeddingJob;
  readonly queue: FairQueue;
  readonly caller: Caller;
  readonly items: QueueItem[];
  /** So many came before it. */
  readonly number: number;
  /** Batches that there had been when it came, or with the last one that took of it. */
  since: number;
}

/**
 * Inputs that wait, job by job, caller by caller. Callers have equal shares of a batch, whatever each of them has waiting.
 * A caller's share takes one of each of its jobs, beginning with the job that has been served least and the newest among
 * equals, and then fills up with whatever is most like the first: one text beside a call with two thousand waits for one batch,
 * and nobody is passed over for long.
 */
export class FairQueue {
  readonly #callers = new Map<string, Caller>();
  readonly #retries: QueueItem[] = [];
  #length = 0;
  /** So far. */
  #batches = 0;
  #lineCount = 0;

  /** Inputs that wait. */
  get length(): number {
    return this.#length;
  }

  /** Callers that have something waiting. */
  get callers(): number {
    return this.#callers.size;
  }

  add(items: readonly QueueItem[]): void {
    const changed: Line[] = [];
    for (const item of items) {
      const line = this.#lineOf(item.job);
      line.items.push(item);
      if (changed.at(-1) !== line) changed.push(line);
    }
    for (const line of changed) line.items.sort((one, other) => other.size - one.size);
    this.#length += items.length;
  }

  /** Drops what is left of a job. */
  remove(job: EmbeddingJob): void {
    const place = this.#placeOf(job);
    if (place) this.#end(place);
    for (let index = this.#retries.length - 1; index >= 0; index -= 1) {
      if (this.#retries[index]?.job !== job) continue;
      this.#retries.splice(index, 1);
      this.#length -= 1;
    }
  }

  /** Puts an item of a failed batch back, to be tried alone: a bad one then fails alone. */
  putBack(item: QueueItem): void {
    this.#retries.push(item);
    this.#length += 1;
  }

  /** The next batch; empty when nothing waits. */
  take(limits: BatchLimits): readonly QueueItem[] {
    const retry = this.#retries.shift();
    const batch = retry ? [retry] : this.#compose(limits);
    this.#length -= batch.length;
    return batch;
  }

  #compose(limits: BatchLimits): readonly QueueItem[] {
    const batch = new BatchComposition(limits);
    const smallest = this.#smallest();
    const turns = new Map(
      [...this.#callers.values()].map((caller) => [caller, turnsOf(caller, batch, this.#batches)]),
    );
    while (turns.size > 0 && batch.hasRoomFor(smallest)) {
      const next = leastServed(turns.keys()) as Caller;
      if (turns.get(next)?.next().done) turns.delete(next);
    }
    const { items } = batch;
    if (items.length > 0) this.#batches += 1;
    for (const { job } of items) {
      const place = this.#placeOf(job);
      if (place?.item.items.length === 0) this.#end(place);
    }
    return items;
  }

  /** The size of the smallest item that waits: where that has no room, none has. */
  #smallest(): number {
    let smallest = Infinity;
    for (const { lines } of this.#callers.values())
      for (const { items } of lines) smallest = Math.min(smallest, items.at(-1)?.size ?? Infinity);
    return smallest;
  }

  #placeOf({ lines }: EmbeddingJob): ListPlace<Line> | undefined {
    return lines.find(({ item }) => item.queue === this);
  }

  #lineOf(job: EmbeddingJob): Line {
    const known = this.#placeOf(job);
    if (known) return known.item;
    const caller = this.#callerOf(job);
    const line: Line = {
      job,
      queue: this,
      caller,
      items: [],
      served: leastServed(caller.lines)?.served ?? 0,
      number: this.#lineCount,
      since: this.#batches,
    };
    this.#lineCount += 1;
    job.lines.push(caller.lines.append(line));
    return line;
  }

  #callerOf({ request: { caller: name = '' } }: EmbeddingJob): Caller {
    const known = this.#callers.get(name);
    if (known) return known;
    const served = leastServed(this.#callers.values())?.served ?? 0;
    const caller = { name, lines: new LinkedList<Line>(), served };
    this.#callers.set(name, caller);
    return caller;
  }

  #end(place: ListPlace<Line>): void {
    const { job, caller, items } = place.item;
    this.#length -= items.length;
    job.lines.splice(job.lines.indexOf(place), 1);
    caller.lines.remove(place);
    if (caller.lines.size === 0) this.#callers.delete(caller.name);
  }
}

function leastServed<Kind extends Taker>(takers: Iterable<Kind>): Kind | undefined {
  let least: Kind | undefined;
  for (const taker of takers) if (!least || taker.served < least.served) least = taker;
  return least;
}

/** Whoever was passed over too often goes first, then who has been served least, then the newest. */
function goesBefore(one: Line, other: Line, batches: number): boolean {
  const isLate = (line: Line) => batches - line.since >= MOST_PASSED_OVER;
  if (isLate(one) !== isLate(other)) return isLate(one);
  return one.served === other.served ? one.number > other.number : one.served < other.served;
}

/** A caller's share of a batch, item by item. @param batches that there have been */
function* turnsOf(caller: Caller, batch: BatchComposition, batches: number): Generator<undefined, void> {
  const takeOf = (line: Line): boolean => {
    const item = batch.takeOf(line.items);
    if (!item) return false;
    line.served += item.size;
    line.since = batches + 1;
    caller.served += item.size;
    return true;
  };
  const order = new TurnOrder(caller.lines, (one, other) => goesBefore(one, other, batches));
  let taken: Line[] = [];
  for (let line = order.take(); line !== undefined; line = order.take()) {
    if (!takeOf(line)) continue;
    if (line.items.length > 0) taken.push(line);
    yield;
  }
  while (taken.length > 0) {
    const line = mostAlike(taken, batch);
    if (takeOf(line)) yield;
    else taken = taken.filter((other) => other !== line);
  }
}

function mostAlike(lines: readonly Line[], batch: BatchComposition): Line {
  let best = lines[0] as Line;
  let least = Infinity;
  for (const line of lines) {
    const unlikeness = batch.unlikenessOf(line.items);
    if (unlikeness < least) [best, least] = [line, unlikeness];
  }
  return best;
}
