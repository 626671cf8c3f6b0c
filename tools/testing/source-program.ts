import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Options with which plain `node` runs the sources of the workspace: children of tests need no build. */
export const RUN_SOURCES: readonly string[] = [
  '--no-warnings',
  '--import',
  join(import.meta.dirname, 'run-sources.ts'),
];

/**
 * Runs a program of the workspace from its sources until it exits by itself.
 * @returns what it printed. @throws Error when it fails, or still runs after 90 seconds.
 */
export async function runSourceProgram(file: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...RUN_SOURCES, file, ...args], {
    timeout: 90_000,
    killSignal: 'SIGKILL',
  });
  return stdout;
}
