import { describe, expect, it } from '@jest/globals';
import { ConfigError, configurationTable, loadConfig } from '@morgan/foundation';
import { CertificateAuthority, docRegion } from '@morgan/testing';
import { z } from 'zod';
import { hostFields } from './hosts/host-list.ts';
import { routeFields, targetFields } from './routing/route.config.ts';
import { distributedLlmConfig } from './distributed-llm.config.ts';

const schema = z.strictObject({ upstream: distributedLlmConfig });
const load = (env: Record<string, string>, hosts?: unknown) =>
  loadConfig(schema, { env, file: hosts === undefined ? undefined : { upstream: { hosts } } }).upstream;
const faultsOf = (env: Record<string, string>, hosts?: unknown) => {
  try {
    load(env, hosts);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
  }
  throw new Error('no fault was found');
};

describe('docs/configuration.md', () => {
  it.each([
    ['a host', 'llm-host', hostFields],
    ['a route', 'llm-route', routeFields],
    ['a target', 'llm-target', targetFields],
  ])('has exactly the fields of %s', (_, region, fields) => {
    const table = configurationTable(fields);
    expect(docRegion('docs/configuration.md', region, table)).toBe(table);
  });
});

describe('distributedLlmConfig', () => {
  it('has defaults for everything', () => {
    expect(load({})).toEqual({
      hosts: [],
      streams: {
        stallTimeoutMs: 120_000,
        finishTimeoutMs: 5_000,
        maxEventBytes: 8_388_608,
        acceptUnfinished: false,
      },
      connectTimeoutMs: 5_000,
      firstByteTimeoutMs: 300_000,
      firstTokenTimeoutMs: 10_000,
      idleTimeoutMs: 300_000,
      maxRetryAfterWaitMs: 5_000,
      maxRestMs: 300_000,
      strategy: 'session_affinity',
      allowedStrategies: [],
      routes: [],
      groups: {},
      readiness: 'process',
      proxy: { except: '' },
      panic: { share: 1, concurrency: 16, maxPerSecond: 50 },
      maxConnections: 1024,
      probeIntervalMs: 30_000,
      probeTimeoutMs: 5_000,
      circuitBreaker: {
        failureThreshold: 5,
        windowMs: 10_000,
        successThreshold: 1,
        halfOpenTrials: 1,
        resetTimeoutMs: 10_000,
        maxResetTimeoutMs: 25_000,
        resetJitter: 0.1,
      },
      budget: { ratio: 0.2, minPerSecond: 10, windowMs: 10_000 },
    });
  });

  it('finds certificates and keys that cannot be read, or do not belong together, by their names', () => {
    const authority = new CertificateAuthority('authority');
    const [own, other] = [authority.issue('a.example'), authority.issue('b.example')];
    const good = { ca: authority.cert + authority.cert, ...own, servername: 'a.example' };
    const hostWith = (tls: object) => [{ name: 'a', url: 'https://a.example/v1', tls }];
    expect(load({}, hostWith(good)).hosts[0]?.tls).toEqual(good);
    const broken = own.cert.replace(/\n.{8}/, '\nAAAAAAAA');
    for (const [tls, field] of [
      [{ ...good, ca: 'not PEM' }, 'ca'],
      [{ ...good, ca: own.key }, 'ca'],
      [{ ...good, ca: authority.cert + broken }, 'ca'],
      [{ ...good, cert: broken }, 'cert'],
      [{ ...good, key: own.cert }, 'key'],
      [{ ...good, key: other.key }, 'key'],
      [{ cert: own.cert }, 'key'],
      [{ key: own.key }, 'cert'],
    ] as const) {
      const faults = faultsOf({}, hostWith(tls));
      expect([field, faults]).toEqual([
        field,
        [expect.stringMatching(`hosts\\.?\\[?0\\]?\\.tls\\.${field}`)],
      ]);
      expect(faults.join()).not.toContain('PRIVATE');
    }
  });

  it('takes a path beside /v1 in the one spelling that it has', () => {
    const withProbe = (path: string) => [{ name: 'a', url: 'http://a/v1', probe: { path } }];
    expect(load({}, withProbe('/../health')).hosts[0]?.probe).toEqual({ path: '/../health' });
    expect(faultsOf({}, withProbe('//health'))).toEqual([
      expect.stringContaining('must begin with one slash: `/../health` is beside `/v1`'),
    ]);
  });

  it('takes hosts in lines of their own, and never two for one', () => {
    const one = 'a=http://10.0.0.1:8000/v1';
    expect(load({ LLM_HOSTS: `${one}\nb=http://10.0.0.2:8000/v1;weight=2\n` }).hosts).toHaveLength(2);
    expect(faultsOf({}, [{ name: 'a', url: 'http://10.0.0.1/v1\nhttp://10.0.0.2/v1' }])).toEqual([
      expect.stringContaining('white space'),
    ]);
    expect(faultsOf({ LLM_HOSTS: `"${one}"` })).toEqual([expect.stringContaining('has quotes around it')]);
    expect(faultsOf({}, [{ name: 'a', url: 'http://a/v1', apiKey: "'a-key'" }])).toEqual([
      expect.stringContaining('has quotes around it'),
    ]);
    for (const apiKey of ['os.environ/A_KEY', '$A_KEY', '{{a.key}}'])
      expect(faultsOf({}, [{ name: 'a', url: 'http://a/v1', apiKey }])).toEqual([
        expect.stringContaining('looks like the name of a variable'),
      ]);
  });

  it('refuses a proxy for http: hosts that would not be used, unless they are excepted', () => {
    const env = {
      HTTP_PROXY: 'http://proxy:3128',
      LLM_HOSTS: 'a=http://10.0.0.1:8000/v1,b=https://b.example/v1',
    };
    expect(faultsOf(env)).toEqual([expect.stringMatching(/proxy\.httpUrl.*"a"/)]);
    expect(faultsOf(env).join()).not.toContain('proxy:3128');
    expect(load({ ...env, NO_PROXY: '10.0.0.1' }).hosts).toHaveLength(2);
    expect(load({ ...env, NO_PROXY: '10.0.0.1:8000' }).hosts).toHaveLength(2);
    expect(faultsOf({ ...env, NO_PROXY: '10.0.0.1:80' })).toHaveLength(1);
    expect(load({ ...env, LLM_HOSTS: 'b=https://b.example/v1' }).hosts).toHaveLength(1);
  });

  it('keeps the defaults of a gateway where only some settings of a breaker are given', () => {
    const file = { upstream: { circuitBreaker: { failureThreshold: 3 } } };
    expect(loadConfig(schema, { env: {}, file }).upstream.circuitBreaker).toMatchObject({
      failureThreshold: 3,
      resetTimeoutMs: 10_000,
    });
  });

  it('refuses a first wait of a breaker that is above the longest one', () => {
    const file = { upstream: { circuitBreaker: { resetTimeoutMs: 60_000, maxResetTimeoutMs: 30_000 } } };
    expect(() => loadConfig(schema, { env: {}, file })).toThrow('maxResetTimeoutMs');
  });

  it('refuses a second route of the same name, which nothing would go by', () => {
    const route = (model: string) => ({ model, tiers: [[{ host: 'a' }]] });
    const file = {
      upstream: { hosts: [{ name: 'a', url: 'http://a' }], routes: ['m', 'g*', 'x', 'g*'].map(route) },
    };
    expect(() => loadConfig(schema, { env: {}, file })).toThrow(/routes.*3.*has a route already/);
  });

  it.each([
    [['g*', 'x', 'gpt-*'], /routes.*2.*never used: "g\*" stands before it/],
    [['*', '*:free'], /routes.*1.*never used/],
    [['a*b*', 'a-b*c'], /routes.*1.*never used/],
    [['gpt-*', 'g*', 'gpt-4', 'm'], undefined],
  ])('says which of the routes %j no model would go by', (models, fault) => {
    const routes = models.map((model) => ({ model, tiers: [[{ host: 'a' }]] }));
    const file = { upstream: { hosts: [{ name: 'a', url: 'http://a' }], routes } };
    const read = () => loadConfig(schema, { env: {}, file });
    if (fault) expect(read).toThrow(fault);
    else expect(read().upstream.routes).toHaveLength(models.length);
  });

  it.each([
    [[{ host: 'a' }, { host: 'b' }, { host: 'a' }], /tiers.*0.*2.*"a" is in this tier already/],
    [[{ host: 'b' }, { group: 'both' }], /tiers.*0.*1.*"b" is in this tier already/],
    [[{ host: 'a' }, { host: 'a', model: 'x' }], undefined],
  ])('refuses a target that is in a tier twice: %j', (tier, fault) => {
    const hosts = ['a', 'b'].map((name) => ({ name, url: 'http://a' }));
    const routes = [{ model: 'm', tiers: [tier, [{ host: 'a' }]] }];
    const file = { upstream: { hosts, routes, groups: { both: ['a', 'b'] } } };
    const read = () => loadConfig(schema, { env: {}, file });
    if (fault) expect(read).toThrow(fault);
    else expect(read().upstream.routes).toHaveLength(1);
  });

  it('reads hosts from one line', () => {
    const line =
      'gpu1=http://10.0.0.1:8000/v1;weight=2;apiKey=sk-a=b==, gpu-2.b=https://api.example.com/v1/ ,';
    expect(load({ LLM_HOSTS: line }).hosts).toEqual([
      { name: 'gpu1', url: 'http://10.0.0.1:8000/v1', weight: 2, apiKey: 'sk-a=b==' },
      { name: 'gpu-2.b', url: 'https://api.example.com/v1/', weight: 1 },
    ]);
  });

  it('reads hosts from a file, with values from the environment', () => {
    const hosts = [
      { name: 'a', url: 'http://h/v1', weight: '${W}', apiKey: '${KEY}' },
      { name: 'b', url: 'http://h2/v1', weight: 0.5 },
    ];
    expect(load({ W: '3', KEY: 'secret' }, hosts).hosts).toEqual([
      { name: 'a', url: 'http://h/v1', weight: 3, apiKey: 'secret' },
      { name: 'b', url: 'http://h2/v1', weight: 0.5 },
    ]);
  });

  it('reads numbers from the environment', () => {
    expect(load({ LLM_PROBE_TIMEOUT_MS: '250', LLM_MAX_CONNECTIONS: '8' })).toMatchObject({
      probeTimeoutMs: 250,
      maxConnections: 8,
    });
    expect(faultsOf({ LLM_IDLE_TIMEOUT_MS: '3000000000' })).toHaveLength(1);
  });

  it.each<[string, string[]]>([
    ['http://10.0.0.1:8000/v1', ['hosts.0.name: a name has', 'hosts.0.url: write it as name=url']],
    ['a=ftp://h/v1', ['hosts.0.url: must be an http:// or https:// URL']],
    ['a=10.0.0.1:8000/v1', ['hosts.0.url: must be an http:// or https:// URL']],
    ['a=http://me:pw@h/v1', ['hosts.0.url: must not hold credentials']],
    ['a=http://h/v1?x=1', ['hosts.0.url: must not have a query or a fragment']],
    ['a=http://h/v1,b=http://h/v1,a=http://h2/v1', ['hosts.2.name: is the name of another host too']],
    [
      'a=http://h/v1;weight=0,b=http://h/v1;weight=lots',
      ['hosts.0.weight: must be above 0', 'hosts.1.weight: must be a number'],
    ],
    ['a=http://h/v1;wieght=2', ['hosts.0: holds a key that does not exist']],
    ['a=http://h/v1;weight=2;weight=3', ['hosts.0.weight: is given twice']],
    ['a=http://h/v1;apiKey=k;apiKey=l', ['hosts.0.apiKey: is given twice']],
    ['a=http://h/v1;url=http://i/v1', ['hosts.0.url: is given twice']],
    ['a=http://h/v1;apiKey=', ['hosts.0.apiKey: must be visible ASCII']],
    ['bad name=http://h/v1', ['hosts.0.name: a name has at most 63']],
  ])('refuses %s', (line, faults) => {
    const found = faultsOf({ LLM_HOSTS: line });
    expect(found).toHaveLength(faults.length);
    faults.forEach((fault, index) => expect(found[index]).toContain(`upstream.${fault}`));
  });

  it.each([
    [{ headers: { 'Content-Length': '5' } }, /headers.*Content-Length.*own to set/],
    [{ headers: { 'X-Request-Id': '5' } }, /headers.*X-Request-Id.*own to set/],
    [{ forwardHeaders: ['x team'] }, /forwardHeaders.*name of an HTTP header/],
    [{ forwardHeaders: ['Authorization'] }, /forwardHeaders.*key of a caller/],
    [{ forwardHeaders: ['X-API-Key'] }, /forwardHeaders.*key of a caller/],
    [{ forwardHeaders: ['Host'] }, /forwardHeaders.*own to set/],
    [{ forwardHeaders: ['transfer-encoding'] }, /forwardHeaders.*own to set/],
    [{ forwardHeaders: ['x-team', 'X-Team'] }, /forwardHeaders.*given twice/],
    [{ forwardHeaders: ['x-team'], headers: { 'X-Team': 'a' } }, /forwardHeaders.*value of the host/],
    [{ headers: { 'X-Team': 'a', 'x-team': 'b' } }, /headers.*x-team.*given twice/],
    [{ apiKey: 'k', keyHeader: 'Content-Length' }, /keyHeader.*own to set/],
    [{ apiKey: 'k', keyHeader: 'host' }, /keyHeader.*own to set/],
    [{ apiKey: 'k', keyHeader: 'content-type' }, /keyHeader.*own to set/],
    [{ apiKey: 'k', headers: { Authorization: 'Bearer k' } }, /headers.*Authorization.*apiKey already/],
    [{ apiKey: 'k', keyHeader: 'Api-Key', headers: { 'api-key': 'k' } }, /headers.*api-key.*apiKey already/],
    [{ url: 'http://h/v1/chat/completions' }, /url.*leave the endpoint out/],
    [{ headers: { Authorization: 'Bearer $A_KEY' } }, /headers.*Authorization.*the name of a variable/],
    [{ headers: { 'x-team': '$(TEAM)' } }, /headers.*x-team.*the name of a variable/],
    [{ query: { key: '$A_KEY' } }, /query.*key.*the name of a variable/],
    [{ weight: true }, /weight: must be a number/],
    [{ weight: [3] }, /weight: must be a number/],
    [{ weight: '' }, /weight: must be a number/],
    [{ capabilities: { endpoints: ['/v1/chat/completions'] } }, /endpoints.*leave \/v1 out/],
  ])('refuses a host with %j', (fields, fault) => {
    const faults = faultsOf({}, [{ name: 'a', url: 'http://h/v1', ...fields }]);
    expect(faults).toEqual([expect.stringMatching(fault)]);
    expect(faults.join()).not.toContain('Bearer');
  });

  it('never repeats a key in a fault', () => {
    const faults = faultsOf({ LLM_HOSTS: 'a=http://h/v1;apiKey=sk-very secret;weight=sk-very' });
    expect(faults.join()).not.toContain('sk-very');
  });
});
