import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { RUN_SOURCES } from '@morgan/testing';

const FILES = 200;
const LONGEST_RUN_MS = 45_000;

/** Starts a pool while every file that the process may open is open. */
const PROGRAM = `
const { closeSync, openSync } = await import('node:fs');
const { silentLogger } = await import('@morgan/foundation');
const { ProcessPool } = await import(process.env.POOL);
const nothing = () => undefined;
const pool = new ProcessPool(
  { role: 'tokenizer', process: {}, taskTimeoutMs: 10_000, loadTimeoutMs: 10_000, idleRestartMs: 10_000 },
  silentLogger,
  { onFree: nothing, onRestart: nothing, onRestartFailed: nothing },
);
const files = [];
try {
  for (;;) files.push(openSync('/dev/null', 'r'));
} catch {}
const reason = await pool.startFirst().catch(({ message }) => message);
files.forEach((file) => closeSync(file));
await pool.stop();
console.log(reason);
`;

it('a process that cannot be started for want of files fails by that name, and the service lives', async () => {
  const script = `ulimit -n ${FILES} && exec "$0" "$@"`;
  const node = [process.execPath, ...RUN_SOURCES, '--input-type=module', '-e', PROGRAM];
  const { stdout } = await promisify(execFile)('sh', ['-c', script, ...node], {
    timeout: LONGEST_RUN_MS,
    env: { ...process.env, POOL: new URL('./process-pool.ts', import.meta.url).href },
  });
  expect(stdout).toMatch(/the model process ended: spawn .* EMFILE/);
});
