import { describe, expect, it } from '@jest/globals';
import { BatchMemory } from './batch-memory.ts';

const ROOM = { freeBytes: 100, shareBytes: 50 };
const SMALL = { leastBytes: 1, mostBytes: 10 };
const WHOLE_SHARE = { leastBytes: 1, mostBytes: 1_000 };
const LARGE = { leastBytes: 80, mostBytes: 1_000 };

describe('memory for batches', () => {
  it('gives a batch what it needs, at most its share, and never more than there is', () => {
    const memory = new BatchMemory(() => ROOM);
    expect(memory.take({}, SMALL)).toBe(10);
    expect(memory.take({}, WHOLE_SHARE)).toBe(50);
    expect(memory.take({}, WHOLE_SHARE)).toBe(40);
    expect(memory.take({}, SMALL)).toBeUndefined();
  });

  it('gives one text more than a share, as soon as others have left so much', async () => {
    const memory = new BatchMemory(() => ROOM);
    const large = {};
    let told = 0;
    memory.onRoom(() => (told += 1));
    const share = memory.take({}, WHOLE_SHARE) as number;
    expect(memory.take(large, LARGE)).toBeUndefined();
    expect(told).toBe(0);
    memory.give(share);
    await Promise.resolve();
    expect(told).toBe(1);
    expect(memory.take(large, LARGE)).toBe(80);
    expect(memory.take({}, SMALL)).toBe(10);
  });

  it('lets nobody go before who waits, and tells those behind it when it has gone or given up', async () => {
    const memory = new BatchMemory(() => ROOM);
    const [large, small] = [{}, {}];
    let told = 0;
    const end = memory.onRoom(() => (told += 1));
    const share = memory.take({}, WHOLE_SHARE) as number;
    memory.take(large, LARGE);
    expect(memory.take(small, SMALL)).toBeUndefined();
    memory.giveUp(large);
    await Promise.resolve();
    expect(told).toBe(1);
    expect(memory.take(small, SMALL)).toBe(10);

    memory.take(large, LARGE);
    expect(memory.take(small, SMALL)).toBeUndefined();
    memory.give(share);
    memory.give(10);
    await Promise.resolve();
    expect(memory.take(large, LARGE)).toBe(80);
    await Promise.resolve();
    expect(told).toBe(3);
    expect(memory.take(small, SMALL)).toBe(10);
    end();
    memory.take(large, LARGE);
    memory.give(10);
    await Promise.resolve();
    expect(told).toBe(3);
  });

  it('says what one batch can have at most', () => {
    const memory = new BatchMemory(() => ROOM);
    memory.take({}, WHOLE_SHARE);
    expect(memory.mostBytes).toBe(100);
  });
});
