import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { RUN_SOURCES } from '@morgan/testing';

const LIBRARY = join(import.meta.dirname, '..');

it('the example of the README runs and prints what its comments say', () => {
  const readme = readFileSync(join(LIBRARY, 'README.md'), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
  const printed = execFileSync(
    process.execPath,
    [...RUN_SOURCES, '--input-type=module-typescript', '--eval', example],
    { encoding: 'utf8', cwd: LIBRARY },
  );
  expect(said).toHaveLength(3);
  expect(printed.trim().split('\n')).toEqual(said);
});
