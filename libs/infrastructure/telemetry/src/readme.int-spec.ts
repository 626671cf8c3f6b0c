import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runReadmeExample } from '@morgan/testing';

it('the example of the README runs and prints what its comments say', () => {
  const { said, printed } = runReadmeExample(join(import.meta.dirname, '..', 'README.md'));
  expect(said).toHaveLength(3);
  expect(printed).toEqual(said);
});
