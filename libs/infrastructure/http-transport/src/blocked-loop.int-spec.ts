import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { HttpTransport } from './http-transport.ts';

const [RECEIVED, MAY_ANSWER, ANSWERED] = [0, 1, 2];

/** Answers when it is told to, and says so, both beside the event loop. */
const SERVER = `const { parentPort, workerData } = require('node:worker_threads');
  const flags = new Int32Array(workerData);
  const server = require('node:http').createServer(({ url }, response) => {
    const answer = () => {
      Atomics.store(flags, ${RECEIVED}, 1);
      Atomics.wait(flags, ${MAY_ANSWER}, 0);
      response[url === '/' ? 'end' : 'write']('ok');
      Atomics.store(flags, ${ANSWERED}, 1);
      Atomics.notify(flags, ${ANSWERED});
    };
    if (url === '/') answer();
    else response.write('all ', answer);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
const LIMIT_MS = 1_000;

let worker: Worker;
let transport: HttpTransport;
const flags = new Int32Array(new SharedArrayBuffer(12));

beforeEach(() => {
  flags.fill(0);
  worker = new Worker(SERVER, { eval: true, workerData: flags.buffer });
  transport = new HttpTransport();
});
afterEach(async () => {
  await transport.close(0);
  await worker.terminate();
});

async function ask(path: string) {
  const [port] = (await once(worker, 'message')) as [number];
  const limits = { firstByteTimeoutMs: LIMIT_MS, idleTimeoutMs: LIMIT_MS };
  return transport.request({ origin: `http://127.0.0.1:${port}`, path, method: 'GET', ...limits });
}

/** From here on nothing is read until the rest of the response is there and the time is over. */
async function standStill(): Promise<void> {
  while (Atomics.load(flags, RECEIVED) === 0) await turn();
  Atomics.store(flags, MAY_ANSWER, 1);
  Atomics.notify(flags, MAY_ANSWER);
  Atomics.wait(flags, ANSWERED, 0);
  Atomics.wait(flags, ANSWERED, 1, 1.5 * LIMIT_MS);
}

it('an event loop that stood still is no timeout of a server that has answered', async () => {
  const asked = ask('/');
  await standStill();
  expect((await (await asked).bytes()).toString()).toBe('ok');
});

it('nor is it of one whose answer goes on', async () => {
  const { body } = await ask('/endless');
  let text = '';
  body.on('data', (bytes: Buffer) => (text += bytes.toString()));
  await standStill();
  while (text !== 'all ok' && !body.destroyed) await turn();
  // Whoever looks after the bytes does so now.
  await turn();
  expect(body.errored).toBeNull();
  body.destroy();
});
