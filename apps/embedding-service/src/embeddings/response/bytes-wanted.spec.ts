import { expect, it } from '@jest/globals';
import { wantsBytes } from './bytes-wanted.ts';

it.each([
  ['application/octet-stream', true],
  ['Application/Octet-Stream; q=0.5', true],
  ['application/octet-stream, */*;q=0.1', true],
  ['application/octet-stream, application/json', true],
  ['application/json;q=0.5, application/octet-stream', true],
  ['application/json;q=0, application/octet-stream;q=0.1', true],
  ['application/json, application/octet-stream', false],
  ['application/octet-stream;q=0.5, application/json', false],
  ['application/octet-stream;q=0', false],
  ['application/octet-stream;q=high', false],
  ['text/plain, application/octet-stream-of-mine', false],
  ['application/*', false],
  ['*/*', false],
  [undefined, false],
])('%s: bytes %j', (accept, expected) => {
  expect(wantsBytes(accept)).toBe(expected);
});
