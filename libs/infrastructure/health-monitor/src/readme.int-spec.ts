import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { listen, runReadmeExample } from '@morgan/testing';

it('the example of the README runs and prints what its comments say', async () => {
  await using healthy = await listen((_, response) => response.end('{}'));
  await using failing = await listen((_, response) => response.writeHead(503).end());
  const instead = { 'http://10.0.0.1:8000': healthy.origin, 'http://10.0.0.2:8000': failing.origin };
  const { said, printed } = await runReadmeExample(join(import.meta.dirname, '../README.md'), instead);
  expect(said).toHaveLength(2);
  expect(printed).toEqual(said);
});
