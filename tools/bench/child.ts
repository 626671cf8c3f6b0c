import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** A program in a process of its own, ended with the bench. */
export interface Child extends Disposable {
  readonly origin: string;
  readonly pid: number;
}

const POLL_MS = 20;
const ORIGIN = /http:\/\/127\.0\.0\.1:\d+/;

/**
 * Starts a program and resolves with the origin that it prints: alone on a line, or in a log line's `url`.
 * @param log a file that takes what it prints; without one the bench reads it, and throws it away.
 */
export async function startChild(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  log?: string,
): Promise<Child> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', log === undefined ? 'pipe' : openSync(log, 'w'), 'inherit'],
  });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const dispose = () => {
    process.off('exit', end);
    end();
  };
  const origin = await (log === undefined ? originOf(child) : originIn(log, child));
  return { origin, pid: child.pid ?? NaN, [Symbol.dispose]: dispose };
}

async function originOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the program has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const origin = ORIGIN.exec(line)?.[0];
    if (origin) {
      child.stdout.resume();
      return origin;
    }
  }
  throw new Error('the program ended before it listened');
}

async function originIn(log: string, child: ChildProcess): Promise<string> {
  while (child.exitCode === null) {
    const origin = ORIGIN.exec(readFileSync(log, 'utf8'))?.[0];
    if (origin) return origin;
    await delay(POLL_MS);
  }
  throw new Error(`the program ended before it listened: ${log}`);
}
