import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fingerprintOf, RequestMemory } from './request-memory.ts';

const MANY = 10_000;
const KEPT = 1_000;
/** Two lengths, three sums of 32 bits each, and the length of a body. */
const LONGEST = 60;

const request = (text: string, path = '/chat/completions') => ({ path, body: Buffer.from(text) });

describe('the memory of requests that fail everywhere', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('does not grow with ten thousand different ones, however large they are', () => {
    const memory = new RequestMemory();
    const body = Buffer.alloc(4 * 1024, 'x');
    const path = `/chat/completions?${'q'.repeat(8_000)}`;
    let [most, longest] = [0, 0];
    for (let index = 0; index < MANY; index += 1) {
      body.write(String(index), 0);
      const poison = { path: path + index, body };
      memory.add(poison, `server_error ${index}`);
      most = Math.max(most, memory.size);
      longest = Math.max(longest, fingerprintOf(poison).length);
    }
    expect([most, memory.size]).toEqual([KEPT, KEPT]);
    expect(longest).toBeLessThanOrEqual(LONGEST);
    expect(fingerprintOf({ path, body: Buffer.alloc(32 * 1024 * 1024) }).length).toBeLessThanOrEqual(LONGEST);
  });

  it('keeps the latest, each for a minute', () => {
    const memory = new RequestMemory();
    for (let index = 0; index <= KEPT; index += 1) memory.add(request(`poison ${index}`), 'server_error');
    expect(memory.has(request('poison 0'))).toBe(false);
    expect(memory.has(request('poison 1'))).toBe(true);
    expect(memory.has(request(`poison ${KEPT}`))).toBe(true);
    jest.advanceTimersByTime(60_001);
    expect(memory.has(request(`poison ${KEPT}`))).toBe(false);
  });

  it('tells paths, beginnings, ends and lengths apart', () => {
    const memory = new RequestMemory();
    memory.add(request(`a${'x'.repeat(200_000)}z`), 'server_error');
    expect(memory.has(request(`a${'x'.repeat(200_000)}z`))).toBe(true);
    const others = [`b${'x'.repeat(200_000)}z`, `a${'x'.repeat(200_000)}y`, `a${'x'.repeat(200_001)}z`];
    for (const other of others) expect(memory.has(request(other))).toBe(false);
    expect(memory.has(request(`a${'x'.repeat(200_000)}z`, '/completions'))).toBe(false);
  });

  it('forgets what was answered after all', () => {
    const memory = new RequestMemory();
    memory.add(request('poison'), 'server_error');
    memory.forget(request('poison'));
    expect([memory.has(request('poison')), memory.size]).toEqual([false, 0]);
  });

  it('tells requests without a body apart by their paths', () => {
    const memory = new RequestMemory();
    memory.add({ path: '/models/a', body: undefined }, 'server_error');
    expect(['/models/a', '/models/b'].map((path) => memory.has({ path, body: undefined }))).toEqual([
      true,
      false,
    ]);
  });
});
