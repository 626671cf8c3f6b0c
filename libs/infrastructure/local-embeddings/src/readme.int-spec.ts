import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');

it('the example of the README is the one that runs here, and it works', async () => {
  const [, example] = /```ts\n([^]*?)```/.exec(read('README.md')) ?? [];
  expect(example).toBe(read('example.ts').replace("'./src/index.ts'", "'@morgan/local-embeddings'"));
  await import('../example.ts');
});
