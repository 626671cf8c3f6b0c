import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program in a process of its own, ended with the bench. */
export interface Child extends Disposable {
  readonly origin: string;
}

/** Starts a program and resolves with the origin that it prints: alone on a line, or in a log line's `url`. */
export async function startChild(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  return { origin: await originOf(child), [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

async function originOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the program has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (origin) {
      child.stdout.resume();
      return origin;
    }
  }
  throw new Error('the program ended before it listened');
}
