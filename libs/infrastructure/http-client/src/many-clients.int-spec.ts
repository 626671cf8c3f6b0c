import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { respond, ScriptedServer } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import { HttpClientMetrics } from './http-client-metrics.ts';

const CLIENTS = 500;

async function callAndStop(baseUrl: string, number: number, metrics: HttpClientMetrics) {
  const client = new HttpClient({
    serviceName: `client-${number}`,
    baseUrl,
    rateLimit: { requestsPerSecond: 100 },
    concurrency: {},
    health: {},
    timeout: { adaptive: {} },
    hedge: {},
    metrics,
  });
  // A few of them are really used; each of the others is made and stopped.
  if (number % 50 === 0) {
    await client.start();
    await client.get('/');
  }
  await client.stop();
  return new WeakRef(client);
}

it('five hundred clients that are stopped leave nothing in the metrics and nothing in memory', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const registry = new Metrics();
  const metrics = new HttpClientMetrics(registry);
  await using server = new ScriptedServer([respond(200)]);
  const baseUrl = `http://127.0.0.1:${await server.listen()}`;
  const stopped: WeakRef<HttpClient>[] = [];
  for (let number = 0; number < CLIENTS; number += 1)
    stopped.push(await callAndStop(baseUrl, number, metrics));
  const shown = (await registry.render()).split('\n').filter((line) => line.includes('"client-'));
  expect(shown).toEqual([]);
  // A reference is held until the end of the turn in which it was made or read.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  const alive = stopped.filter((client) => client.deref() !== undefined).length;
  expect(alive).toBeLessThanOrEqual(CLIENTS / 50);
});
