import { expect, it } from '@jest/globals';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import { respond, ScriptedServer } from '../fixture/scripted-server.ts';
import { HttpClient } from './http-client.ts';
import { HttpClientMetrics } from './http-client-metrics.ts';

/** The samples of a metric, by their labels. */
async function samples(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith(`${name}{`));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /\{(.*)\} (.*)/.exec(line) ?? [];
      return [labels.replaceAll('"', ''), Number(value)];
    }),
  );
}

it('calls, connections and every policy are counted under the name of the service', async () => {
  const registry = new Metrics();
  const metrics = new HttpClientMetrics(registry);
  await using server = new ScriptedServer([respond(503), respond(200), respond(404)]);
  const client = new HttpClient({
    serviceName: 'docs',
    baseUrl: `http://127.0.0.1:${await server.listen()}`,
    retry: { baseDelayMs: 1 },
    rateLimit: { requestsPerSecond: 100 },
    concurrency: {},
    health: {},
    metrics,
  });
  await client.get('/');
  await client.get('/').catch(() => undefined);

  const nonZero = async (name: string) =>
    Object.fromEntries(Object.entries(await samples(registry, name)).filter(([, value]) => value > 0));
  expect(await nonZero('morgan_http_client_calls_total')).toEqual({
    'client=docs,outcome=ok': 1,
    'client=docs,outcome=client_error': 1,
  });
  expect(await samples(registry, 'morgan_http_client_call_seconds_count')).toEqual({ 'client=docs': 2 });
  await waitFor(() => client.connections.free === client.connections.connected, {
    what: 'the last connection',
  });
  expect(await samples(registry, 'morgan_http_transport_connections')).toEqual({
    'pool=docs,state=free': client.connections.connected,
    'pool=docs,state=busy': 0,
  });
  expect(await nonZero('morgan_retry_attempts_total')).toEqual({
    'client=docs,outcome=ok': 1,
    'client=docs,outcome=server_error': 1,
    'client=docs,outcome=client_error': 1,
  });
  expect(await nonZero('morgan_circuit_breaker_calls_total')).toEqual({
    'breaker=docs,outcome=success': 2,
    'breaker=docs,outcome=failure': 1,
  });
  expect(await nonZero('morgan_rate_limiter_decisions_total')).toEqual({
    'limiter=docs,outcome=admitted': 3,
  });
  expect(await samples(registry, 'morgan_concurrency_limit')).toEqual({ 'bulkhead=docs': 100 });
  expect(await nonZero('morgan_health_state')).toEqual({ 'target=docs,state=HEALTHY': 1 });

  await client.stop(0);
  expect(await samples(registry, 'morgan_http_transport_waiting')).toEqual({});
});

it('the counts of clients of one name stay until the last of them is stopped', async () => {
  const registry = new Metrics();
  const metrics = new HttpClientMetrics(registry);
  await using server = new ScriptedServer([respond(200)]);
  const config = {
    serviceName: 'docs',
    baseUrl: `http://127.0.0.1:${await server.listen()}`,
    rateLimit: { requestsPerSecond: 100 },
  };
  const [first, second] = [new HttpClient({ ...config, metrics }), new HttpClient({ ...config, metrics })];
  await first.get('/');
  await first.stop(0);
  expect(await samples(registry, 'morgan_http_client_calls_total')).toMatchObject({
    'client=docs,outcome=ok': 1,
  });
  await second.stop(0);
  expect((await registry.render()).split('\n').filter((line) => line.includes('"docs'))).toEqual([]);
});
