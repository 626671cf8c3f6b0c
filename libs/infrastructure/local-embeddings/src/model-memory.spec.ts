import { totalmem } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { memoryCeiling, ModelMemory, NoRoomError } from './model-memory.ts';

const MEBIBYTE = 1024 * 1024;
const SERVICE_MB = 200;
const ANY = { leastBytes: 1, mostBytes: Infinity };
const sum = (numbers: readonly (number | undefined)[]) =>
  numbers.reduce<number>((total, number) => total + (number ?? NaN), 0);
const share = (more: object = {}) => ({
  tokenizerBytes: 50 * MEBIBYTE,
  inferenceBytes: 200 * MEBIBYTE,
  processes: 1,
  cost: { perToken: MEBIBYTE / 4, perPair: 0 },
  maxTokens: 512,
  ...more,
});

beforeEach(() => {
  jest.spyOn(process.memoryUsage, 'rss').mockReturnValue(SERVICE_MB * MEBIBYTE);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the memory of the service', () => {
  it('ends at what is configured, else at the limit of the container or the machine', () => {
    expect(memoryCeiling(512)).toBe(512 * MEBIBYTE);
    expect(memoryCeiling(undefined)).toBeLessThanOrEqual(totalmem());
    expect(memoryCeiling(undefined)).toBeGreaterThan(0);
  });

  it('has room for so many processes that each has as much for its batches as for its model', () => {
    // 85 % of 2,000 less 250 is 1,450: three times 400 and a rest.
    expect(new ModelMemory(2_000).processesFor(share())).toBe(3);
    expect(new ModelMemory(100).processesFor(share())).toBe(1);
  });

  it('is never planned for beyond 85 % of it, however many models and processes there are', () => {
    const memory = new ModelMemory(4_000);
    let held = SERVICE_MB;
    let processes = 0;
    for (const count of [1, 2, 3]) {
      memory.join({}, share({ processes: count }));
      held += 50 + 200 * count;
      processes += count;
      expect(memory.batches.mostBytes / MEBIBYTE + held).toBeCloseTo(3_400);
      const takes = Array.from({ length: processes }, () => memory.batches.take({}, ANY));
      expect(sum(takes)).toBeCloseTo(memory.batches.mostBytes);
      for (const bytes of takes) memory.batches.give(bytes as number);
    }
  });

  it('says what takes it where there is none for a batch', () => {
    const join = (processes: number) => new ModelMemory(700).join({}, share({ processes }));
    expect(() => join(64)).toThrow('700 MiB of memory leave no room for a batch beside 64 processes');
    expect(() => join(64)).toThrow('EMBEDDING_WORKERS must be lower');
    expect(() => new ModelMemory(300).join({}, share())).toThrow(
      'leave no room for a batch; EMBEDDING_MEMORY',
    );
  });
});

describe('a further model', () => {
  it('is refused where it, or one that is there, has no room for a batch of 128 tokens any more', () => {
    // 850 less 200 and 250 leaves 400; a batch of 128 tokens takes 32.
    const memory = new ModelMemory(1_000);
    const [one, two] = [{}, {}];
    memory.join(one, share());
    const before = memory.batches.mostBytes;
    expect(() => memory.join(two, share({ inferenceBytes: 320 * MEBIBYTE }))).toThrow(NoRoomError);
    expect(memory.batches.mostBytes).toBe(before);
    memory.leave(one);
    memory.join(two, share({ inferenceBytes: 320 * MEBIBYTE }));
    expect(memory.batches.mostBytes / MEBIBYTE).toBeCloseTo(280);
  });

  it('is refused before it is started where its files alone are too large', () => {
    const memory = new ModelMemory(1_000);
    // Alone it may try: whoever has one model hears the exact reason.
    memory.expect(500 * MEBIBYTE);
    memory.join({}, share());
    expect(() => memory.expect(500 * MEBIBYTE)).toThrow(NoRoomError);
    memory.expect(100 * MEBIBYTE);
  });
});
