import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DistributedLlmClient } from '@morgan/distributed-llm';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import { ConfigError, loadConfig, type LogFields } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { freePort, RouteWalk, statusesOf } from '@morgan/testing';
import { ENDPOINTS, extraEndpoint } from '../endpoints/endpoint.table.ts';
import { ResponseOwners } from '../relay/response-owners.ts';
import { llmServiceConfig } from '../config/llm-service.config.ts';
import { ConfigReloader } from '../reload/config-reloader.ts';
import { ReloadMetrics } from '../reload/reload-metrics.ts';
import { AdminParts } from './admin.controller.ts';
import { type Admin, composeAdmin } from './compose-admin.ts';
import { HostFleet } from './host-fleet.ts';
import { RequestExplainer } from './request-explainer.ts';

const KEY = 'the-operators-key';
const CHAT = { model: 'simulated', messages: [{ role: 'user', content: 'a secret thought' }] };

let one: FakeLlmHost;
let two: FakeLlmHost;
let llm: DistributedLlmClient;
let embedding: DistributedLlmClient;
let admin: Admin;
let port: number;
let walk: RouteWalk;
const endpoints = [...ENDPOINTS, extraEndpoint('/v1/audio/voices'), extraEndpoint('/pooling')];
const owners = new ResponseOwners();
let log: (LogFields & { message: string })[];

beforeEach(async () => {
  one = await startFakeLlmHost({ name: 'one' });
  two = await startFakeLlmHost({ name: 'two' });
  const hosts = [
    { name: 'one', url: one.url },
    { name: 'two', url: two.url },
  ];
  llm = new DistributedLlmClient({ hosts, strategy: 'round_robin' });
  embedding = new DistributedLlmClient({
    hosts: [{ name: 'embedding-service', url: 'http://127.0.0.1:9/v1' }],
  });
  await llm.start();
  await open(KEY);
});

afterEach(async () => {
  await admin.close();
  await Promise.all([llm.stop(), embedding.stop(), one.close(), two.close()]);
});

async function open(apiKey: string | undefined) {
  log = [];
  const note = (fields: LogFields, message: string) => void log.push({ ...fields, message });
  const logger = { debug: note, info: note, warn: note, error: note, plain: () => undefined };
  const config = loadConfig(llmServiceConfig, { env: { LLM_HOSTS: `one=${one.url}` } });
  const load = () => {
    throw new ConfigError(['everything is wrong']);
  };
  const metrics = new ReloadMetrics(new Metrics());
  const reloader = new ConfigReloader({
    config,
    load,
    apply: () => Promise.resolve(),
    replaceKeys: () => undefined,
    logger,
    metrics,
  });
  port = await freePort();
  walk = await RouteWalk.through(KEY, async () => {
    const explainer = new RequestExplainer({ llm, embedding, endpoints, owners });
    const parts = new AdminParts(new HostFleet(llm, embedding), explainer, reloader, logger);
    admin = (await composeAdmin({ port, host: '127.0.0.1', apiKey }, parts)) as Admin;
    await admin.start();
    return port;
  });
}

async function ask(
  method: 'GET' | 'POST',
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`http://127.0.0.1:${port}/admin${path}`, {
    method,
    headers: { 'x-api-key': KEY, ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, data: (await response.json()) as Record<string, unknown> };
}

const answeredBy = async () => (await llm.post('/chat/completions', CHAT)).host;
const changes = () => log.filter(({ message }) => message === 'an operator changed a host');

describe('the admin API', () => {
  it('lets nobody in without its key, on any route', async () => {
    expect(walk.patterns).toContain('/admin/hosts/:name/breaker/:action');
    expect(await walk.openPatterns()).toEqual([]);
    expect(await walk.admittedWithoutKey()).toEqual([]);
    expect(llm.getMetrics()['one']?.mode).toBe('enabled');
  });

  it('shows everything that is known of the hosts', async () => {
    const { status, data } = await ask('GET', '/hosts');
    const hosts = data['hosts'] as Record<string, unknown>[];
    expect([status, hosts.map(({ name }) => name)]).toEqual([200, ['one', 'two', 'embedding-service']]);
    expect(hosts[0]).toMatchObject({
      mode: 'enabled',
      weight: 1,
      inFlight: 0,
      models: ['simulated'],
      health: { state: 'HEALTHY' },
      circuit: { state: 'CLOSED' },
    });
    expect((await ask('GET', '/hosts/two')).data).toMatchObject({ name: 'two', mode: 'enabled' });
  });

  it('drains, disables and enables a host, and logs each', async () => {
    expect((await ask('POST', '/hosts/one/drain')).data).toMatchObject({ name: 'one', mode: 'draining' });
    expect([await answeredBy(), await answeredBy()]).toEqual(['two', 'two']);
    expect((await ask('POST', '/hosts/one/disable')).data['mode']).toBe('disabled');
    expect((await ask('POST', '/hosts/one/enable')).data['mode']).toBe('enabled');
    expect(new Set([await answeredBy(), await answeredBy()])).toEqual(new Set(['one', 'two']));
    expect(changes()).toMatchObject(
      ['drain', 'disable', 'enable'].map((action) => ({ host: 'one', action })),
    );
  });

  it('sets a weight within its bounds', async () => {
    expect((await ask('POST', '/hosts/one/weight', { weight: 9 })).data['weight']).toBe(9);
    const refused = await ask('POST', '/hosts/one/weight', { weight: -1 });
    expect(refused).toMatchObject({
      status: 400,
      data: { error: { param: 'weight', code: 'invalid_value' } },
    });
    expect((await ask('POST', '/hosts/one/weight', {})).status).toBe(400);
    expect((await ask('POST', '/hosts/one/weight')).status).toBe(400);
    expect(await ask('POST', '/hosts/one/weight', { weight: 2, wait: true })).toMatchObject({
      status: 400,
      data: { error: { param: 'wait', code: 'invalid_value' } },
    });
    expect(changes()).toMatchObject([{ action: 'weight', weight: 9 }]);
  });

  it('holds a breaker, and forgets rests', async () => {
    expect((await ask('POST', '/hosts/one/breaker/open')).data).toMatchObject({ circuit: { state: 'OPEN' } });
    expect([await answeredBy(), await answeredBy()]).toEqual(['two', 'two']);
    expect((await ask('POST', '/hosts/one/breaker/auto')).data).toMatchObject({
      circuit: { state: 'CLOSED' },
    });
    expect((await ask('POST', '/hosts/one/breaker/close')).status).toBe(200);
    expect((await ask('POST', '/hosts/one/breaker/burn')).status).toBe(404);
    await one.setFault({ kind: 'status', status: 401 });
    for (let call = 0; call < 2; call += 1) expect(await answeredBy()).toBe('two');
    expect((await ask('GET', '/hosts/one')).data['rests']).toMatchObject([
      { outcome: 'credentials_rejected' },
    ]);
    expect((await ask('POST', '/hosts/one/forget-rests')).data['rests']).toEqual([]);
    expect(changes()).toHaveLength(4);
  });

  it('answers of a host that is not there in the envelope', async () => {
    for (const path of ['/hosts/nobody', '/hosts/constructor'])
      expect(await ask('GET', path)).toMatchObject({
        status: 404,
        data: { error: { code: 'host_not_found' } },
      });
    expect((await ask('POST', '/hosts/nobody/drain')).status).toBe(404);
    expect((await ask('GET', '/hosts/one/drain')).status).toBe(405);
    expect(await ask('GET', '')).toMatchObject({
      status: 404,
      data: { error: { message: expect.stringContaining('/docs') } },
    });
    expect(changes()).toEqual([]);
  });

  it('explains a request by its model or by its body, and sends nothing', async () => {
    llm.drainHost('one');
    const byModel = await ask('POST', '/explain', { model: 'simulated' });
    expect(byModel.data).toMatchObject({
      decision: 'ask',
      strategy: 'round_robin',
      tiers: [
        [
          { host: 'one', candidate: false, because: ['draining'] },
          { host: 'two', candidate: true, because: [] },
        ],
      ],
    });
    const headers = { 'X-Session-Id': 'mine' };
    const byBody = await ask('POST', '/explain', { path: '/v1/chat/completions', body: CHAT, headers });
    expect(byBody.data['request']).toMatchObject({ path: '/chat/completions', sessionKeyFrom: 'header' });
    expect(JSON.stringify(byBody.data)).not.toContain('mine');
    const embeddings = await ask('POST', '/explain', { path: '/v1/embeddings', model: 'm' });
    expect(embeddings.data).toMatchObject({ tiers: [[{ host: 'embedding-service' }]] });
    for (const wrong of [
      {},
      { model: 'm', body: CHAT },
      { model: 'm', nonsense: 1 },
      { model: 'm', path: 'x' },
      { body: { model: 7, messages: CHAT.messages } },
      { body: { model: 'm', messages: null } },
      { path: '/v1/responses', body: { model: 'm', stream: 'yes' } },
      { model: 'm', headers: { 'X-Morgan-Strategy': 'random' } },
    ])
      expect((await ask('POST', '/explain', wrong)).status).toBe(400);
    expect([...one.requests, ...two.requests].filter(({ method }) => method === 'POST')).toEqual([]);
    expect(JSON.stringify(log)).not.toContain('secret thought');
  });

  it('explains every path that callers have, and no other', async () => {
    owners.add('resp_1', { host: 'two', caller: 'somebody' });
    const explained = async (asked: object) => (await ask('POST', '/explain', asked)).data;
    for (const [path, inside] of [
      ['/v1/audio/voices', '/audio/voices'],
      ['/pooling', '/../pooling'],
      ['/rerank', '/../rerank'],
      ['/openai/deployments/simulated/chat/completions', '/chat/completions'],
    ])
      expect(await explained({ path, body: {} })).toMatchObject({ request: { path: inside } });
    expect(
      await explained({ path: '/openai/deployments/simulated/chat/completions', body: {} }),
    ).toMatchObject({ request: { model: 'simulated' } });
    const pinned = { only: ['two'], tiers: [[{ host: 'two', candidate: true, order: 1 }]] };
    expect(await explained({ path: '/v1/responses/resp_1', method: 'GET' })).toMatchObject(pinned);
    const next = { model: 'simulated', previous_response_id: 'resp_1' };
    expect(await explained({ path: '/v1/responses/resp_%31', method: 'GET' })).toMatchObject(pinned);
    for (const path of [
      '/v1/responses',
      '/openai/responses',
      '/openai/v1/responses',
      '/v1/responses/compact',
    ])
      expect(await explained({ path, body: next })).toMatchObject(pinned);
    expect(await explained({ path: '/v1/responses/resp_2', method: 'GET' })).toMatchObject({
      error: { code: 'response_not_found' },
    });
    expect(await explained({ path: '/v1//chat/completions/?a=1', model: 'simulated' })).toMatchObject({
      request: { path: '/chat/completions', model: 'simulated' },
    });
    expect(await explained({ path: '/openai/deployments//chat/completions', body: {} })).toMatchObject({
      error: { code: 'empty_string', param: 'model' },
    });
    expect(await explained({ path: '/openai/deployments/%zz/chat/completions', body: {} })).toMatchObject({
      error: { code: 'invalid_value', param: 'path' },
    });
    expect(await explained({ path: '/v1/nothing', model: 'm' })).toMatchObject({
      error: { code: 'unknown_url', param: 'path' },
    });
  });

  it('loads the configuration again, and gives its faults back', async () => {
    const { status, data } = await ask('POST', '/reload');
    expect([status, data]).toEqual([
      200,
      { outcome: 'failed', changed: [], needRestart: [], faults: ['everything is wrong'] },
    ]);
  });

  it('without a key admits programs of this machine, but no web page', async () => {
    await admin.close();
    await open(undefined);
    const call = (headers: string) => statusesOf(port, 'POST', ['/admin/hosts/one/drain'], headers);
    expect(await call('origin: http://127.0.0.1\r\n')).toEqual([401]);
    expect(llm.getMetrics()['one']?.mode).toBe('enabled');
    expect((await ask('POST', '/hosts/one/drain')).status).toBe(200);
  });
});
