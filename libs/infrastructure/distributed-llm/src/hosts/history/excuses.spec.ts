import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Excuses } from './excuses.ts';

let now: number;
let excuses: Excuses;

beforeEach(() => {
  now = 1_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  excuses = new Excuses();
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** So many failures of a model, one a second. @returns what the last one is put down to. */
function fail(model: string, times: number) {
  let culprit: ReturnType<Excuses['add']> = 'request';
  for (let count = 0; count < times; count += 1) {
    now += 1_000;
    culprit = excuses.add(model);
  }
  return culprit;
}

describe('excuses', () => {
  it('hold for five failures however long they take, and for many within five seconds', () => {
    expect(fail('m', 5)).toBe('request');
    excuses.succeeded('m');
    for (let count = 0; count < 100; count += 1) expect(excuses.add('m')).toBe('request');
  });

  it('end with the host where nothing succeeds, of one model or of many', () => {
    expect(fail('m', 6)).toBe('host');
    excuses.succeeded('m');
    const last = ['a', 'b', 'c', 'd', 'e', 'f'].map((model) => fail(model, 1)).at(-1);
    expect(last).toBe('host');
  });

  it('end with the model where others succeed', () => {
    expect(fail('m', 3)).toBe('request');
    excuses.succeeded('other');
    expect(fail('m', 3)).toBe('host + model');
    expect(fail('m', 10)).toBe('host + model');
    // What is put down to the model says nothing of the host.
    expect(fail('other', 1)).toBe('request');
  });

  it('hold again from a success of the model on', () => {
    fail('m', 5);
    excuses.succeeded('m');
    expect(fail('m', 5)).toBe('request');
  });

  it('are counted for the latest hundred models', () => {
    fail('m', 5);
    for (let count = 0; count < 100; count += 1) excuses.add(`m${count}`);
    excuses.succeeded('other');
    expect(fail('m', 1)).toBe('request');
  });
});
