import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { HttpTransport } from './http-transport.ts';

const [RECEIVED, MAY_ANSWER, ANSWERED] = [0, 1, 2];

/** Answers when it is told to, and says so, both beside the event loop. */
const SERVER = `const { parentPort, workerData } = require('node:worker_threads');
  const flags = new Int32Array(workerData);
  const server = require('node:http').createServer((request, response) => {
    Atomics.store(flags, ${RECEIVED}, 1);
    Atomics.wait(flags, ${MAY_ANSWER}, 0);
    response.end('ok');
    Atomics.store(flags, ${ANSWERED}, 1);
    Atomics.notify(flags, ${ANSWERED});
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
const LIMIT_MS = 1_000;

let worker: Worker;
let transport: HttpTransport;
const flags = new Int32Array(new SharedArrayBuffer(12));

beforeEach(() => {
  worker = new Worker(SERVER, { eval: true, workerData: flags.buffer });
  transport = new HttpTransport();
});
afterEach(async () => {
  await transport.close(0);
  await worker.terminate();
});

it('an event loop that stood still is no timeout of a server that has answered', async () => {
  const [port] = (await once(worker, 'message')) as [number];
  const request = { origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' } as const;
  const startedAt = performance.now();
  const asked = transport.request({ ...request, firstByteTimeoutMs: LIMIT_MS });
  while (Atomics.load(flags, RECEIVED) === 0) await turn();
  // From here on nothing is read until the response is there and the time is over.
  Atomics.store(flags, MAY_ANSWER, 1);
  Atomics.notify(flags, MAY_ANSWER);
  Atomics.wait(flags, ANSWERED, 0);
  const leftMs = startedAt + 2 * LIMIT_MS - performance.now();
  if (leftMs > 0) Atomics.wait(flags, ANSWERED, 1, leftMs);
  expect((await (await asked).bytes()).toString()).toBe('ok');
});
