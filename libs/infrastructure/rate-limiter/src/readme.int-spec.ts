import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const LIBRARY = join(import.meta.dirname, '..');

it('the example of the README runs and prints what its comments say', () => {
  const readme = readFileSync(join(LIBRARY, 'README.md'), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
  const sources = join(LIBRARY, 'fixture/run-sources.ts');
  const printed = execFileSync(
    process.execPath,
    ['--no-warnings', '--input-type=module-typescript', '--import', sources, '--eval', example],
    { encoding: 'utf8', cwd: LIBRARY },
  );
  expect(said).toHaveLength(3);
  expect(printed.trim().split('\n')).toEqual(said);
});
