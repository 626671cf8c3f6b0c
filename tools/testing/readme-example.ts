import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { RUN_SOURCES } from './source-program.ts';

/** What the first example of a README says that it prints, line by line, and what it does print. */
interface ReadmeExample {
  /** The comment behind each `console.log`. */
  readonly said: readonly string[];
  readonly printed: readonly string[];
}

/** The first example of a README. */
export function readmeExampleOf(path: string): string {
  return /```ts\n(.*?)```/s.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
}

/**
 * Runs the first example of a README, in the folder where that is.
 * @param instead texts of the example, and what stands there in the run: the address of a host that is there
 * @throws Error where it fails, or still runs after 90 seconds
 */
export async function runReadmeExample(
  path: string,
  instead: Readonly<Record<string, string>> = {},
): Promise<ReadmeExample> {
  const example = readmeExampleOf(path);
  const run = Object.entries(instead).reduce((text, [from, to]) => text.replaceAll(from, to), example);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...RUN_SOURCES, '--input-type=module-typescript', '--eval', run],
    { cwd: dirname(path), timeout: 90_000, killSignal: 'SIGKILL' },
  );
  return {
    said: Array.from(example.matchAll(/console\.log\(.*\); \/\/ (.*)/g), ([, text = '']) => text),
    printed: stdout.split('\n').slice(0, -1),
  };
}
