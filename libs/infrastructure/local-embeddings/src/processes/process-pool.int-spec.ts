import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { silentLogger } from '@morgan/foundation';
import { waitFor } from '@morgan/testing';
import { text } from '../../fixture/protobuf.ts';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';
import { ModelProcess } from './model-process.ts';
import { ProcessPool, type RestartReason } from './process-pool.ts';
import type { ProcessRole } from './process-protocol.ts';

const run = jest.spyOn(ModelProcess.prototype, 'run');
const loaded = jest.spyOn(ModelProcess.prototype, 'loaded');
let folder: string;
let pool: ProcessPool;
let restarts: RestartReason[];
let failures: string[];

async function poolOf(
  idleRestartMs: number,
  role: ProcessRole = 'inference',
  { taskTimeoutMs = 60_000, loadTimeoutMs = 60_000 } = {},
) {
  folder = await mkdtemp(join(tmpdir(), 'morgan-pool-'));
  await writeTinyBert(folder);
  restarts = [];
  failures = [];
  const model = { backend: 'auto', device: 'cpu', dtype: 'fp32', threads: 1 } as const;
  const options = { role, process: { folder, model }, idleRestartMs, taskTimeoutMs, loadTimeoutMs };
  pool = new ProcessPool(options, silentLogger, {
    onFree: () => undefined,
    onRestart: (reason) => void restarts.push(reason),
    onRestartFailed: ({ message }) => void failures.push(message),
  });
  return pool;
}
afterEach(async () => {
  await pool.stop();
  await rm(folder, { recursive: true });
});

const oneRow = { rows: [{ ids: [4] }], budgetBytes: 1e9, mostTokens: 1e9, perToken: false };
/** The process that was started last. */
const latest = () => loaded.mock.contexts.at(-1) as ModelProcess;
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a process that loads well and then crashes', () => {
  beforeEach(async () => {
    await (await poolOf(60_000)).startFirst();
  });

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('outlives %s to its whole group', async (signal) => {
    const { pid } = latest();
    process.kill(pid as number, signal);
    await pool.run('run', oneRow);
    expect(latest().pid).toBe(pid);
    expect(restarts).toEqual([]);
  });

  const crash = async () => {
    const before = restarts.length;
    process.kill(latest().pid as number, 'SIGKILL');
    await waitFor(() => restarts.length > before && pool.free > 0, { what: 'the next process' });
  };

  it('is restarted after twice the time each time, until a task goes well', async () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    for (let time = 0; time < 3; time += 1) await crash();
    await pool.run('run', oneRow);
    await crash();
    // What was asked for, as what it takes is the machine's to say. Others wait for 100 ms too, as the first and last restart do.
    const waits = timers.mock.calls.map(([, ms]) => ms).filter((ms) => [200, 400, 800].includes(ms ?? 0));
    timers.mockRestore();
    expect(waits).toEqual([200, 400]);
    expect(restarts).toEqual(new Array(4).fill('crash'));
  });
});

describe('a process that hangs', () => {
  it('is replaced after its time, and whoever waits for it hears of it', async () => {
    await poolOf(60_000, 'inference', { taskTimeoutMs: 300 });
    await pool.startFirst();
    const { pid } = latest();
    process.kill(pid as number, 'SIGSTOP');
    const task = pool.run('run', oneRow);
    await expect(task).rejects.toThrow('it was at one task for more than 300 ms');
    await waitFor(() => pool.free > 0, { what: 'the next process' });
    expect([restarts, isAlive(pid as number)]).toEqual([['crash'], false]);
  });

  it('is not one that stood still with this process: neither an answer nor time to give it is lost', async () => {
    await poolOf(60_000, 'inference', { taskTimeoutMs: 300 });
    await pool.startFirst();
    const { pid } = latest();
    const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    // The answer comes meanwhile.
    const answered = pool.run('run', oneRow);
    standStill(500);
    await answered;
    // Both stand still, as in a container that is frozen.
    process.kill(pid as number, 'SIGSTOP');
    const later = pool.run('run', oneRow);
    standStill(500);
    process.kill(pid as number, 'SIGCONT');
    await later;
    expect([restarts, latest().pid]).toEqual([[], pid]);
  });

  it.each(['inference', 'tokenizer'] as const)(
    'while it loads, as %s, is ended after its time',
    async (role) => {
      await poolOf(60_000, role, { loadTimeoutMs: 500 });
      await rm(join(folder, 'tokenizer.json'));
      // Whoever reads it waits for a writer, as for a file system that does not answer.
      execFileSync('mkfifo', [join(folder, 'tokenizer.json')]);
      await expect(pool.startFirst()).rejects.toThrow('it was loading for more than 500 ms');
      expect(isAlive(latest().pid as number)).toBe(false);
    },
  );
});

describe('a process that has grown', () => {
  it('is replaced once it is idle, and what is asked meanwhile waits for the next one', async () => {
    await poolOf(200);
    const { rssBytes } = await pool.startFirst();
    const old = latest();
    const { pid } = old;
    run.mockImplementationOnce(() => Promise.resolve({ rssBytes: rssBytes * 2, fileBytes: 0 }));
    await waitFor(() => restarts.length > 0 && !isAlive(pid as number), {
      what: 'the end of the old process',
    });
    expect([pool.isServing, restarts[0]]).toEqual([true, 'memory']);
    await waitFor(() => pool.free > 0, { what: 'the new process' });
    await pool.run('run', oneRow);
    expect(latest()).not.toBe(old);
  });

  it('is kept where the files of its model have changed, so that no other one would be used', async () => {
    const warn = jest.spyOn(silentLogger, 'warn');
    await poolOf(200);
    const { rssBytes } = await pool.startFirst();
    await writeFile(join(folder, 'config.json'), '{ "changed": true }');
    run.mockImplementationOnce(() => Promise.resolve({ rssBytes: rssBytes * 2, fileBytes: 0 }));
    await waitFor(() => warn.mock.calls.length > 0, { what: 'the word of the process that is kept' });
    expect(warn.mock.lastCall?.[1]).toMatch(/keeps its memory: the files of the model have changed/);
    warn.mockRestore();
    await pool.run('run', oneRow);
    expect([pool.isServing, restarts, failures]).toEqual([true, [], []]);
  });

  it('is kept where what has grown are pages of files, which the system takes back by itself', async () => {
    await poolOf(200);
    const { rssBytes, fileBytes } = await pool.startFirst();
    const asked = run.mock.calls.length;
    run.mockImplementationOnce(() =>
      Promise.resolve({ rssBytes: rssBytes * 2, fileBytes: fileBytes + rssBytes }),
    );
    await waitFor(() => run.mock.calls.length > asked, { what: 'the look at its memory' });
    await run.mock.results.at(-1)?.value;
    expect([restarts, pool.free]).toEqual([[], 1]);
  });

  it('by a little is replaced only once it has worked for ten times as long as it loaded', async () => {
    await poolOf(200);
    const { rssBytes, fileBytes } = await pool.startFirst();
    const { pid } = latest();
    const grown = () => Promise.resolve({ rssBytes: rssBytes + 24 * 1024 * 1024, fileBytes });
    const asked = run.mock.calls.length;
    run.mockImplementationOnce(grown);
    await waitFor(() => run.mock.calls.length > asked, { what: 'the look at its memory' });
    await run.mock.results.at(-1)?.value;
    expect([restarts, pool.free]).toEqual([[], 1]);
    const now = jest.spyOn(performance, 'now');
    const begunAt = performance.now();
    now.mockReturnValueOnce(begunAt).mockReturnValueOnce(begunAt + 1e6);
    await pool.run('run', oneRow);
    now.mockRestore();
    run.mockImplementationOnce(grown);
    await waitFor(() => restarts.length > 0 && !isAlive(pid as number), { what: 'the end of it' });
    expect(restarts).toEqual(['memory']);
    await waitFor(() => pool.free > 0, { what: 'the next one' });
  });
});

describe('a process that is to stand for another', () => {
  it.each([
    ['inference', 'onnx/model.onnx'],
    ['tokenizer', 'tokenizer.json'],
  ] as const)('is not used for %s while %s is another', async (role, name) => {
    await poolOf(60_000, role);
    await pool.startFirst();
    const file = join(folder, name);
    const before = await readFile(file);
    // As valid as it was: white space behind JSON, the documentation of a graph.
    const more = name.endsWith('.json') ? Buffer.from(' ') : text(6, 'another');
    await writeFile(file, Buffer.concat([before, more]));
    process.kill(latest().pid as number, 'SIGKILL');
    await waitFor(() => failures.length > 0, { what: 'the refusal' });
    expect(failures[0]).toMatch(/^the files of the model are not those that the first process has read/);
    expect(pool.isServing).toBe(false);
    await writeFile(file, before);
    await waitFor(() => pool.free > 0, { what: 'a process with the same files', timeoutMs: 20_000 });
  });
});

describe('a stop', () => {
  it.each([1, 60, 120, 250])(
    '%i ms into the loading of a model ends the process at once',
    async (afterMs) => {
      await poolOf(60_000);
      const loading = pool.startFirst().then(
        () => 'loaded',
        (error: Error) => error.name,
      );
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      await pool.stop();
      expect(['loaded', 'ModelLoadError']).toContain(await loading);
      expect([pool.free, isAlive(latest().pid as number)]).toEqual([0, false]);
    },
  );
});
