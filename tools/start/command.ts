import { spawn } from 'node:child_process';
import { basename } from 'node:path';

const TAIL_LINES = 40;

/** A command that failed, with the end of what it wrote. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly output: string;

  constructor(command: string, code: number | null, output: string) {
    super(`${command} ended with code ${code}.`);
    this.output = output;
  }
}

/**
 * Runs a command without showing its output and resolves with it.
 * @throws CommandFailed when it does not end with 0; AbortError when the signal ends it.
 */
export function runQuietly(
  command: string,
  args: readonly string[],
  options: { readonly signal?: AbortSignal; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const commandName = [basename(command), ...args].join(' ');
    let output = '';
    const collect = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else
        reject(new CommandFailed(commandName, code, output.trim().split('\n').slice(-TAIL_LINES).join('\n')));
    });
  });
}

/** Says that a step begins and how long it took. */
export async function showStep<T>(name: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  console.log(`${name} ...`);
  const result = await work();
  console.log(`${name}: done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}
