import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { outcome, restMs } from '../example.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8');

it('the example of the README is the one that runs here, and it works', () => {
  const [, example] = /```ts\n([^]*?)```/.exec(read('README.md')) ?? [];
  expect(example).toBe(read('example.ts').replace("'./src/index.ts'", "'@morgan/host-errors'"));
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  expect([outcome, restMs]).toEqual(['rate_limited', 1_500]);
});
