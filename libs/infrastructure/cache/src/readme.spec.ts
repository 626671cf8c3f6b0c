import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { useCache } from '../example.ts';

const text = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

it('the example of the README runs and says what its comments say', async () => {
  const example = text('../example.ts');
  expect(text('../README.md')).toContain(
    `\`\`\`ts\n${example.replace('./src/index.ts', '@morgan/cache')}\`\`\``,
  );
  const said: string[] = [];
  await useCache((line) => said.push(line));
  expect(said).toEqual([...example.matchAll(/say\(.*\); \/\/ (.*)/g)].map(([, line]) => line));
});
