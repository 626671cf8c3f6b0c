import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { text, status } from '../example.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8');

it('the example of the README is the one that runs here, and it works', () => {
  const [, example] = /```ts\n([^]*?)```/.exec(read('README.md')) ?? [];
  expect(example).toBe(read('example.ts').replace("'./src/index.ts'", "'@morgan/retry'"));
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  expect([text, status.recovered, status.attempts.server_error]).toEqual(['answer', 1, 2]);
});
