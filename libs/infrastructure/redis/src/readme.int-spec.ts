import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { redisUrl, runReadmeExample } from '@morgan/testing';

it('the example of the README runs and prints what its comments say', async () => {
  const instead = { 'redis://127.0.0.1:6379': redisUrl() };
  const { said, printed } = await runReadmeExample(join(import.meta.dirname, '../README.md'), instead);
  expect(said).toHaveLength(2);
  expect(printed).toEqual(said);
});
