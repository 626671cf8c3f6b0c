import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { launchService, type LaunchOptions } from './service-process.ts';
import { waitFor } from './wait-for.ts';

/** One line that a service wrote: its fields, or `{ text }` when it is not JSON. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Which service to run and how. */
interface ServiceOptions extends LaunchOptions {
  /** The configuration file (JSON is YAML), handed over as `MORGAN_CONFIG`. */
  readonly config?: object;
  /** How long it may take until `/readyz` answers 200, in milliseconds. Default 100,000. */
  readonly readyWithinMs?: number;
}

/** A built service in a process of its own. */
export interface RunningService extends AsyncDisposable {
  /** Its origin, such as `http://127.0.0.1:43210`. */
  readonly url: string;
  /** Everything it has written so far. */
  readonly logs: readonly LogLine[];
  readonly process: ChildProcess;
  /** Sends the signal (default SIGTERM) and resolves when the process has ended. */
  stop(signal?: NodeJS.Signals): Promise<ServiceExit>;
}

/** How a service ended. */
interface ServiceExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly durationMs: number;
}

/**
 * Runs a built service on a free port and resolves once it is ready. It dies with this process at the latest.
 * @throws Error with everything the service wrote, when it ends or is not ready in time.
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { app, readyWithinMs = 100_000 } = options;
  const configFolder = options.config && (await mkdtemp(join(tmpdir(), 'morgan-config-')));
  const file = configFolder && join(configFolder, 'morgan.yaml');
  if (file) await writeFile(file, JSON.stringify(options.config));
  const child = launchService({ ...options, env: { ...(file && { MORGAN_CONFIG: file }), ...options.env } });
  const exit = once(child, 'exit');
  const logs: LogLine[] = [];
  const outputEnd = Promise.all([collect(child.stdout, logs), collect(child.stderr, logs)]);
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<ServiceExit> => {
    const startedAt = performance.now();
    if (isRunning(child)) child.kill(signal);
    await exit;
    await outputEnd;
    if (configFolder) await rm(configFolder, { recursive: true, force: true });
    return { code: child.exitCode, signal: child.signalCode, durationMs: performance.now() - startedAt };
  };
  try {
    const url = await readyUrl(child, logs, readyWithinMs);
    return { url, logs, process: child, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
  } catch (cause) {
    const { code } = await stop('SIGKILL');
    const output = logs.map(({ text, ...line }) => (typeof text === 'string' ? text : JSON.stringify(line)));
    const what = code === null ? `was not ready in ${readyWithinMs} ms` : `ended with code ${code}`;
    throw new Error(`${app} ${what}:\n${output.join('\n')}`, { cause });
  }
}

async function readyUrl(child: ChildProcess, logs: readonly LogLine[], timeoutMs: number): Promise<string> {
  let url: string | undefined;
  await waitFor(
    async () => {
      if (!isRunning(child)) return true;
      url ??= logs.find((line) => line['msg'] === 'listening')?.['url'] as string | undefined;
      return url !== undefined && (await fetch(`${url}/readyz`)).ok;
    },
    { what: '/readyz', timeoutMs },
  );
  if (url === undefined || !isRunning(child)) throw new Error('it ended before it was ready');
  return url;
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function collect(stream: NodeJS.ReadableStream, logs: LogLine[]): Promise<void> {
  for await (const line of createInterface({ input: stream })) logs.push(parseLine(line));
}

function parseLine(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as LogLine;
  } catch {
    // Not every line is a log line: a crash prints plain text.
  }
  return { text: line };
}
