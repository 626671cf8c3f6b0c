import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { RUN_SOURCES } from './source-program.ts';

/** What the first example of a README says that it prints, line by line, and what it does print. */
export interface ReadmeExample {
  /** The comment behind each `console.log`. */
  readonly said: readonly string[];
  readonly printed: readonly string[];
}

/** Runs the first example of a README, in the folder where that is. @throws Error where it fails */
export function runReadmeExample(path: string): ReadmeExample {
  const readme = readFileSync(path, 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const printed = execFileSync(
    process.execPath,
    [...RUN_SOURCES, '--input-type=module-typescript', '--eval', example],
    { encoding: 'utf8', cwd: dirname(path) },
  );
  return {
    said: Array.from(example.matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, text = '']) => text),
    printed: printed.trim().split('\n'),
  };
}
