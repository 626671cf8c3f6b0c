import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Quarantine } from './quarantine.ts';

const MINUTE_MS = 60_000;
const textOf = (text: string) => ({ text, more: false, promptName: undefined, prompt: undefined });

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('the quarantine', () => {
  it('knows a text, with its prompt, and tokens, and nothing else', () => {
    const quarantine = new Quarantine();
    quarantine.add(textOf('bad'));
    quarantine.add({ ids: [1, 2, 3] });
    expect(quarantine.has(textOf('bad'))).toBe(true);
    expect(quarantine.has({ ids: [1, 2, 3] })).toBe(true);
    expect(quarantine.has(textOf('good'))).toBe(false);
    expect(quarantine.has({ ...textOf('bad'), prompt: 'query: ' })).toBe(false);
    expect(quarantine.has({ ids: [1, 2] })).toBe(false);
  });

  it('lets an input go after ten minutes, which begin anew with each time that it does harm', () => {
    const quarantine = new Quarantine();
    quarantine.add(textOf('once'));
    quarantine.add(textOf('twice'));
    jest.advanceTimersByTime(5 * MINUTE_MS);
    quarantine.add(textOf('twice'));
    jest.advanceTimersByTime(5 * MINUTE_MS);
    expect([quarantine.has(textOf('once')), quarantine.has(textOf('twice'))]).toEqual([false, true]);
  });

  it('holds the latest thousand or so', () => {
    const quarantine = new Quarantine();
    for (let count = 0; count < 1_024; count += 1) quarantine.add(textOf(`text ${count}`));
    quarantine.add(textOf('text 1'));
    expect(quarantine.has(textOf('text 0'))).toBe(true);
    quarantine.add(textOf('one more'));
    quarantine.add(textOf('and one'));
    const held = ['text 0', 'text 1', 'text 2', 'text 3'].map((text) => quarantine.has(textOf(text)));
    expect(held).toEqual([false, true, false, true]);
  });
});
