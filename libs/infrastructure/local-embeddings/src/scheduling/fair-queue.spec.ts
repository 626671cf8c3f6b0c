import { describe, expect, it } from '@jest/globals';
import { EmbeddingJob } from './embedding-job.ts';
import { FairQueue } from './fair-queue.ts';
import type { QueueItem } from './queue-item.ts';

const jobOf = (count: number, caller?: string) =>
  new EmbeddingJob({
    inputs: new Array<string>(count).fill('x'),
    caller,
    truncate: true,
    paramOf: (position) => `input[${position}]`,
  });

/** A call whose inputs cost so much each. */
const call = (...sizes: number[]): QueueItem[] => {
  const job = jobOf(sizes.length);
  return sizes.map((size, position) => ({ job, position, size }));
};
/** So many calls of one text each. */
const callsOf = (caller: string, count: number) =>
  Array.from({ length: count }, () => [{ job: jobOf(1, caller), position: 0, size: 1 }]);
const many = (count: number, size = 1) => call(...new Array<number>(count).fill(size));

function queueOf(...calls: QueueItem[][]) {
  const queue = new FairQueue();
  for (const items of calls) queue.add(items);
  return {
    queue,
    /** To which call each item of the next batch belongs. */
    owners: (items: number, size = 1_000) =>
      queue.take({ items, size }).map(({ job }) => calls.findIndex((each) => each[0]?.job === job)),
  };
}
const jobOfCall = (items: QueueItem[]) => (items[0] as QueueItem).job;

describe('FairQueue', () => {
  it('keeps a job apart from the same job in another queue, and leaves nothing with one of which nothing waits', () => {
    const [one, other] = [new FairQueue(), new FairQueue()];
    const items = call(1, 1, 1);
    const job = jobOfCall(items);
    one.add(items.slice(0, 2));
    other.add(items.slice(2));
    expect(job.lines).toHaveLength(2);
    expect(one.take({ items: 8, size: 8 })).toHaveLength(2);
    expect([one.length, one.callers, other.length, other.callers]).toEqual([0, 0, 1, 1]);
    one.remove(job);
    expect(job.lines.map(({ item }) => item.queue)).toEqual([other]);
    other.remove(job);
    expect([job.lines, other.length, other.callers]).toEqual([[], 0, 0]);
  });

  it('gives nothing while nothing waits', () => {
    expect(new FairQueue().take({ items: 8, size: 8 })).toEqual([]);
  });

  it('puts small calls together, up to the number of a batch', () => {
    const { queue, owners } = queueOf(many(1), many(1), many(1));
    expect(owners(2)).toHaveLength(2);
    expect(owners(2)).toHaveLength(1);
    expect(queue.length).toBe(0);
  });

  it('fills a batch up to its size, and lets a larger item go alone', () => {
    const { owners } = queueOf(call(3, 4, 5, 100));
    expect(owners(8, 8)).toEqual([0, 0]);
    expect(owners(8, 8)).toEqual([0]);
    expect(owners(8, 8)).toEqual([0]);
  });

  it('takes one of every call, and fills up with the rest of a large one', () => {
    const { queue, owners } = queueOf(many(20), many(1));
    expect(owners(4).toSorted()).toEqual([0, 0, 0, 1]);
    expect(queue.length).toBe(17);
  });

  it('lets a text that comes later go with the next batch, though each item of the large call fills one', () => {
    const large = many(5, 100);
    const small = many(1);
    const { queue, owners } = queueOf(large, small);
    queue.remove(jobOfCall(small));
    expect(owners(4, 100)).toEqual([0]);
    queue.add(small);
    expect(owners(4, 100)).toEqual([1]);
  });

  it('shares the batches among large calls, whenever they came', () => {
    const [one, other] = [many(40, 10), many(40, 10)];
    const { queue, owners } = queueOf(one, other);
    queue.remove(jobOfCall(other));
    for (let batch = 0; batch < 5; batch += 1) owners(4);
    queue.add(other);
    const turns = Array.from({ length: 4 }, () => owners(4)).flat();
    expect(turns.filter((owner) => owner === 0)).toHaveLength(8);
  });

  it('lets nobody starve beside an endless row of newcomers', () => {
    const large = many(3, 100);
    const queue = queueOf(large).queue;
    queue.take({ items: 4, size: 100 });
    const batches = Array.from({ length: 6 }, () => {
      queue.add(many(1, 100));
      return queue.take({ items: 4, size: 100 }).some(({ job }) => job === jobOfCall(large));
    });
    expect(batches.filter(Boolean).length).toBeGreaterThanOrEqual(1);
  });

  it('fills up with what is most like the first text, so that nothing is padded far', () => {
    const large = call(...Array.from({ length: 40 }, (_, index) => index + 1));
    const { queue } = queueOf(large, call(20));
    expect(queue.take({ items: 5, size: 1_000 }).map(({ size }) => size)).toEqual([20, 20, 19, 21, 18]);
  });

  it('takes the shortest of a call where what is like the first has no room', () => {
    const { queue } = queueOf(call(10, 60), call(70));
    expect(queue.take({ items: 5, size: 100 }).map(({ size }) => size)).toEqual([70, 10]);
  });

  it('lets the items of a call leave by size, so that like is with like', () => {
    const positions = queueOf(call(14, 1, 3, 6, 2))
      .queue.take({ items: 8, size: 100 })
      .map(({ position }) => position);
    expect(positions).toEqual([1, 4, 2, 3, 0]);
  });

  it('forgets what is left of a removed call, and only that', () => {
    const [gone, stays] = [many(10), many(3)];
    const { queue, owners } = queueOf(gone, stays);
    queue.putBack({ job: jobOfCall(gone), position: 0, size: 1 });
    queue.remove(jobOfCall(gone));
    expect(queue.length).toBe(3);
    expect(owners(8)).toEqual([1, 1, 1]);
    queue.remove(jobOfCall(gone));
    expect(queue.length).toBe(0);
  });

  it('tries the items of a failed batch one by one', () => {
    const [failed, other] = [many(2), many(3)];
    const queue = queueOf(failed).queue;
    const batch = queue.take({ items: 8, size: 8 });
    queue.add(other);
    for (const item of batch) queue.putBack(item);
    expect(queue.length).toBe(5);
    const sizes = Array.from({ length: 3 }, () => queue.take({ items: 8, size: 8 }).length);
    expect(sizes).toEqual([1, 1, 3]);
    expect(queue.length).toBe(0);
  });
});

/** What the queue does, done at length: all that waits is sorted for each batch. */
class SortedQueue {
  #lines: { readonly items: QueueItem[]; served: number; passedOver: number }[] = [];

  add(items: readonly QueueItem[]): void {
    const served = Math.min(...this.#lines.map((line) => line.served));
    const line = { items: items.toSorted((one, other) => other.size - one.size), passedOver: 0 };
    this.#lines.push({ ...line, served: Number.isFinite(served) ? served : 0 });
  }

  take({ items: most, size: room }: { items: number; size: number }): QueueItem[] {
    const batch: QueueItem[] = [];
    let size = 0;
    const unlikenessOf = (item: QueueItem) => (batch[0] ? Math.abs(item.size - batch[0].size) : item.size);
    const nextOf = ({ items }: { items: readonly QueueItem[] }) => {
      // Of two that are as alike the shorter one.
      const alike = items.toSorted(
        (one, other) => unlikenessOf(one) - unlikenessOf(other) || one.size - other.size,
      );
      return [alike[0], items.at(-1)].find(
        (item) => item && (batch.length === 0 || (batch.length < most && size + item.size <= room)),
      );
    };
    const takeOne = (line: { items: QueueItem[]; served: number }) => {
      const item = nextOf(line);
      if (!item) return false;
      line.items.splice(line.items.indexOf(item), 1);
      batch.push(item);
      line.served += item.size;
      size += item.size;
      return true;
    };
    const isLate = ({ passedOver }: { passedOver: number }) => passedOver >= 4;
    const lines = this.#lines
      .toReversed()
      .sort((one, other) => Number(isLate(other)) - Number(isLate(one)) || one.served - other.served);
    for (const line of lines) line.passedOver = takeOne(line) ? 0 : line.passedOver + 1;
    for (let left = lines.filter((line) => line.passedOver === 0 && nextOf(line)); left.length > 0;) {
      const unlike = left.map((line) => Math.min(...line.items.map(unlikenessOf)));
      takeOne(left[unlike.indexOf(Math.min(...unlike))] as (typeof left)[0]);
      left = left.filter(nextOf);
    }
    this.#lines = this.#lines.filter(({ items }) => items.length > 0);
    return batch;
  }
}

it('takes what a sort of all that waits would bring to the front, batch by batch', () => {
  let state = 7;
  const below = (limit: number) => (state = (state * 16_807) % 2_147_483_647) % limit;
  const [queue, sorted] = [new FairQueue(), new SortedQueue()];
  const jobs: EmbeddingJob[] = [];
  // Which of several texts of one length a call has first is nobody's business.
  const tellOf = (batch: readonly QueueItem[]) =>
    batch.map(({ job, size }) => ({ call: jobs.indexOf(job), size }));
  for (let round = 0; round < 300; round += 1) {
    for (let calls = below(round < 200 ? 5 : 2); calls > 0; calls -= 1) {
      const items = call(...Array.from({ length: 1 + below(4) }, () => 1 + below(60)));
      jobs.push(jobOfCall(items));
      queue.add(items);
      sorted.add(items);
    }
    const limits = { items: 6, size: 100 };
    expect(tellOf(queue.take(limits))).toEqual(tellOf(sorted.take(limits)));
  }
});

describe('callers', () => {
  const callersOf = (items: readonly QueueItem[]) => items.map(({ job }) => job.request.caller);

  it('share each batch equally, however many calls one of them has waiting', () => {
    const { queue } = queueOf(...callsOf('loud', 1_000), ...callsOf('quiet', 40));
    for (let batch = 0; batch < 10; batch += 1) {
      const owners = callersOf(queue.take({ items: 8, size: 100 }));
      expect(owners.filter((owner) => owner === 'quiet')).toHaveLength(4);
    }
    expect(callersOf(queue.take({ items: 8, size: 100 }))).toEqual(new Array(8).fill('loud'));
  });

  it('share alike where one has many calls and the other one large call', () => {
    const job = jobOf(100, 'large');
    const large = Array.from({ length: 100 }, (_, position) => ({ job, position, size: 1 }));
    const { queue } = queueOf(...callsOf('loud', 1_000), large);
    const owners = Array.from({ length: 5 }, () => callersOf(queue.take({ items: 10, size: 100 }))).flat();
    expect(owners.filter((owner) => owner === 'large')).toHaveLength(25);
  });

  it('have equal shares of size, not of items', () => {
    const large = Array.from({ length: 500 }, () => [{ job: jobOf(1, 'long'), position: 0, size: 9 }]);
    const { queue } = queueOf(...large, ...callsOf('short', 2_000));
    const taken = Array.from({ length: 20 }, () => queue.take({ items: 32, size: 40 })).flat();
    const sizeOf = (caller: string) =>
      taken.filter(({ job }) => job.request.caller === caller).reduce((sum, { size }) => sum + size, 0);
    expect(sizeOf('long') / sizeOf('short')).toBeGreaterThan(0.8);
    expect(sizeOf('long') / sizeOf('short')).toBeLessThan(1.25);
  });

  it('begin where the others are: who comes late has no claim to what was served before', () => {
    const { queue } = queueOf(...callsOf('first', 1_000));
    for (let batch = 0; batch < 20; batch += 1) queue.take({ items: 8, size: 100 });
    for (const items of callsOf('late', 100)) queue.add(items);
    const owners = callersOf(queue.take({ items: 8, size: 100 }));
    expect(owners.filter((owner) => owner === 'first')).toHaveLength(4);
  });

  it('are forgotten with their last call', () => {
    const { queue } = queueOf();
    for (let count = 0; count < 1_000; count += 1) {
      const [items = []] = callsOf(`caller ${count}`, 1);
      queue.add(items);
      if (count % 2 === 0) queue.remove(jobOfCall(items));
      else expect(queue.take({ items: 8, size: 8 })).toHaveLength(1);
    }
    expect(queue.length).toBe(0);
    expect(queue.callers).toBe(0);
  });
});
