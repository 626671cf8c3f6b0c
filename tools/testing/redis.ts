import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './free-port.ts';
import { redisCommand } from './redis-command.ts';
import { waitFor } from './wait-for.ts';

/**
 * Where the Redis of the test run is. Suites share it: prefix every key with something of your own.
 * @throws Error when the run has none.
 */
export function redisUrl(): string {
  const url = process.env['MORGAN_TEST_REDIS_URL'];
  if (url) return url;
  throw new Error('This test needs a Redis: run it with `npm test`, or set MORGAN_TEST_REDIS_URL.');
}

/** A Redis that a test may hurt. It keeps nothing on disk and its port stays the same. */
export interface PrivateRedis extends AsyncDisposable {
  readonly url: string;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  /** Makes it hang: connections are still accepted by the system, but nothing answers. */
  pause(): void;
  resume(): void;
}

// The shell is there for its stdin: when this process ends, however it ends, `cat` returns and Redis is killed.
const GUARD = `
  exec 3<&0
  redis-server "$@" 3<&- & server=$!
  (cat <&3 > /dev/null; kill -9 $server) 2> /dev/null &
  wait $server`;

/** Whether there is a redis-server on PATH. */
export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0;
}

/**
 * Starts a private redis-server from PATH on a free port. @param options more of its options, such as `--replicaof`.
 * @throws Error when there is none or it does not answer.
 */
export async function startRedis(...options: readonly string[]): Promise<PrivateRedis> {
  const port = await freePort();
  let shell = await launch(port, options);
  const signal = (name: NodeJS.Signals) => {
    if (shell.pid !== undefined && shell.exitCode === null && shell.signalCode === null)
      process.kill(-shell.pid, name);
  };
  const kill = async () => {
    const isOver = shell.exitCode !== null || shell.signalCode !== null;
    if (isOver) return;
    const exit = once(shell, 'exit');
    signal('SIGKILL');
    await exit;
    // The shell may be gone before its Redis is.
    await waitFor(() => isClosed(port), { what: `the end of redis-server on port ${port}` });
  };
  return {
    url: urlOf(port),
    kill,
    restart: async () => {
      await kill();
      shell = await launch(port, options);
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    [Symbol.asyncDispose]: kill,
  };
}

async function launch(port: number, more: readonly string[]): Promise<ChildProcess> {
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const shell = spawn('sh', ['-c', GUARD, 'sh', ...options, ...more], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  shell.once('exit', () => shell.stdin.destroy());
  let output = '';
  const collect = (chunk: Buffer) => (output += chunk.toString());
  shell.stdout.on('data', collect);
  shell.stderr.on('data', collect);
  await waitFor(
    async () => {
      if (shell.exitCode !== null) return true;
      return (await redisCommand(urlOf(port), 'PING')) === '+PONG';
    },
    { what: `redis-server on port ${port}`, timeoutMs: 10_000 },
  );
  if (shell.exitCode !== null) throw new Error(`redis-server did not start: ${output.trim()}`);
  return shell;
}

function isClosed(port: number): Promise<boolean> {
  return redisCommand(urlOf(port), 'PING').then(
    () => false,
    () => true,
  );
}

function urlOf(port: number): string {
  return `redis://127.0.0.1:${port}`;
}
