import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { NameAddresses } from './name-addresses.ts';

const FOUND = [{ address: '10.0.0.1', family: 4 }];
const SINCE = [{ address: '10.0.0.2', family: 4 }];

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('answers once where the name server is late, and has what it says for the next', () => {
  const asked: Parameters<LookupFunction>[2][] = [];
  const addresses = new NameAddresses((_, __, callback) => void asked.push(callback));
  const answers: unknown[] = [];
  const resolve = () =>
    addresses.lookupFor({}, () => [])('name.test', { all: true }, (_, found) => void answers.push(found));
  resolve();
  asked.shift()?.(null, FOUND);
  resolve();
  jest.advanceTimersByTime(1_000);
  asked.shift()?.(null, SINCE);
  expect(answers).toEqual([FOUND, FOUND]);
  resolve();
  jest.advanceTimersByTime(1_000);
  expect(answers).toEqual([FOUND, FOUND, SINCE]);
});

it('gives an error that is late to nobody', () => {
  const asked: Parameters<LookupFunction>[2][] = [];
  const addresses = new NameAddresses((_, __, callback) => void asked.push(callback));
  const errors: unknown[] = [];
  const resolve = () =>
    addresses.lookupFor({}, () => [])('name.test', { all: true }, (error) => void errors.push(error));
  resolve();
  asked.shift()?.(null, FOUND);
  resolve();
  jest.advanceTimersByTime(1_000);
  asked.shift()?.(Object.assign(new Error('gone'), { code: 'ENOTFOUND' }), []);
  expect(errors).toEqual([null, null]);
});
