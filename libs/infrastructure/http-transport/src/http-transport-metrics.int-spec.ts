import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { HttpTransport } from './http-transport.ts';
import type { OriginStatus } from './origin-pool.ts';
import { HttpTransportMetrics } from './http-transport-metrics.ts';

let server: LocalServer;
let origin: string;
let held: ServerResponse[];
let transport: HttpTransport;
let metrics: Metrics;
let pools: HttpTransportMetrics;

beforeEach(async () => {
  held = [];
  server = await listen((_, response) => void held.push(response));
  ({ origin } = server);
  transport = new HttpTransport({ maxConnections: 2 });
  metrics = new Metrics();
  pools = new HttpTransportMetrics(metrics);
});
afterEach(async () => {
  await transport.close(0);
  await server.close();
});

const get = () => transport.request({ origin, path: '/', method: 'GET' });

/** Every sample, without `morgan_http_transport_`. */
async function samples(): Promise<Record<string, number>> {
  const lines = (await metrics.render()).split('\n').filter((line) => line && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value] = /^morgan_http_transport_(\S+) (\S+)$/.exec(line) ?? [];
      return [name.replaceAll('"', ''), Number(value)];
    }),
  );
}

it('a pool is shown under its name from the beginning, with all that it does', async () => {
  pools.watch('docs', () => transport.statusOf(origin));
  const nothing = {
    'connections{pool=docs,state=free}': 0,
    'connections{pool=docs,state=busy}': 0,
    'waiting{pool=docs}': 0,
    'connections_opened_total{pool=docs}': 0,
  };
  expect(await samples()).toEqual(nothing);

  const calls = [get(), get(), get()];
  await waitFor(() => held.length === 2, { what: 'two requests' });
  expect(await samples()).toEqual({
    ...nothing,
    'connections{pool=docs,state=busy}': 2,
    'waiting{pool=docs}': 1,
    'connections_opened_total{pool=docs}': 2,
  });

  held[0]?.end();
  await waitFor(() => held.length === 3, { what: 'the third request' });
  held[1]?.end();
  held[2]?.destroy();
  await Promise.allSettled(calls.map(async (call) => (await call).bytes()));
  const isQuiet = ({ connected, free }: OriginStatus) => connected === 1 && free === 1;
  await waitFor(() => isQuiet(transport.statusOf(origin)), { what: 'the end of the cut connection' });
  expect(await samples()).toEqual({
    ...nothing,
    'connections{pool=docs,state=free}': 1,
    'connections_opened_total{pool=docs}': 2,
    'faults_total{pool=docs,reason=reset}': 1,
  });
});

it('a name that is given again is that of the later pool, and an end of the earlier one does not end it', async () => {
  const end = pools.watch('docs', () => transport.statusOf(origin));
  const endLater = pools.watch('docs', () => ({ ...transport.statusOf(origin), waiting: 7 }));
  end();
  expect((await samples())['waiting{pool=docs}']).toBe(7);
  endLater();
  expect((await samples())['waiting{pool=docs}']).toBeUndefined();
});
