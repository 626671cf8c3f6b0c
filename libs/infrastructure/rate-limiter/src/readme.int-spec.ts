import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runReadmeExample } from '@morgan/testing';

const README = join(import.meta.dirname, '..', 'README.md');

it('the example of the README runs and prints what its comments say', () => {
  const { said, printed } = runReadmeExample(README);
  expect(said).toHaveLength(3);
  expect(printed).toEqual(said);
});

it('the README is short', () => {
  const readme = readFileSync(README, 'utf8');
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
});
