import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exchange, type Gate, startGate } from '../../fixture/gate.ts';

let gate: Gate;
let anywhere: Gate;
let closed: Gate;

beforeAll(async () => {
  gate = await startGate({
    corsOrigins: ['https://app.example', 'http://localhost:3000', 'app://obsidian.md'],
    openEndpoints: ['docs'],
  });
  anywhere = await startGate({ corsOrigins: ['*'] });
  closed = await startGate();
});
afterAll(() => Promise.all([gate, anywhere, closed].map((each) => each[Symbol.asyncDispose]())));

const preflight = (service: Gate, origin: string) =>
  fetch(`${service.url}/v1/echo`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
    },
  });
const allowed = ({ headers }: Response) => headers.get('access-control-allow-origin');

describe('a page of another origin', () => {
  it('is let in without a key for the preflight, where its origin is configured', async () => {
    const response = await preflight(gate, 'https://app.example');
    expect([response.status, allowed(response), response.headers.get('vary')]).toEqual([
      204,
      'https://app.example',
      'origin',
    ]);
    expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(response.headers.get('x-request-id')).not.toBeNull();
    expect(allowed(await preflight(anywhere, 'https://any.example'))).toBe('*');
    expect(allowed(await preflight(gate, 'app://obsidian.md'))).toBe('app://obsidian.md');
  });

  it.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])(
    'is told nothing where it is not: %s',
    async (origin) => {
      for (const service of [gate, closed]) {
        const response = await preflight(service, origin);
        expect([response.status, allowed(response)]).toEqual([204, null]);
        expect(response.headers.get('access-control-allow-headers')).toBeNull();
      }
    },
  );

  it('may read every answer and its headers, refusals too', async () => {
    const headers = { origin: 'https://app.example', 'content-type': 'application/json' };
    const ask = (more: object) =>
      fetch(`${gate.url}/v1/echo`, { method: 'POST', body: '{}', headers: { ...headers, ...more } });
    for (const [response, status] of [
      [await ask({ 'x-api-key': 'the-key' }), 200],
      [await ask({}), 401],
    ] as const) {
      expect([response.status, allowed(response)]).toEqual([status, 'https://app.example']);
      expect(response.headers.get('access-control-expose-headers')).toBe('*');
    }
  });

  it.each([['/v1/echo'], ['/'], ['/no/such/path'], ['/livez'], ['/docs']])(
    'may ask for the options of %s without a key, and learns nothing from the answer',
    async (path) => {
      for (const service of [gate, anywhere, closed]) {
        const response = await fetch(service.url + path, { method: 'OPTIONS' });
        expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([
          204,
          'GET, HEAD, POST, DELETE, OPTIONS',
          '',
        ]);
        expect(response.headers.get('access-control-allow-headers')).toBeNull();
      }
    },
  );

  it('needs a key for everything else', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    expect((await fetch(`${gate.url}/v1/slow`, { headers })).status).toBe(401);
  });
});

describe('a page whose name was made to resolve to this machine', () => {
  const everybody = { identify: () => '' };
  const statusOf = async (service: Gate, host: string, origin: string, more = '') => {
    const head = `POST /v1/echo HTTP/1.1\r\nhost: ${host}\r\norigin: ${origin}\r\n${more}`;
    const rest = 'content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}';
    const [line, ...lines] = (await exchange(service.port, head + rest)).split('\r\n');
    return [Number(line?.split(' ')[1]), /"code":"(\w+)"/.exec(lines.at(-1) ?? '')?.[1]];
  };

  it.each([['evil.example'], ['evil.example:8080'], ['EVIL.example:8080'], ['127.0.0.1.evil.example']])(
    'is refused where nobody needs a key: %s',
    async (host) => {
      await using open = await startGate({}, everybody);
      expect(await statusOf(open, host, `http://${host.toLowerCase()}`)).toEqual([403, 'origin_not_allowed']);
    },
  );

  it.each([
    ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['localhost:8080', 'http://localhost:8080'],
    ['gateway:8080', 'http://gateway:8080'],
    ['gateway.morgan.internal', 'http://gateway.morgan.internal'],
    [`${hostname().toLowerCase()}:80`, `http://${hostname().toLowerCase()}:80`],
    ['app.example', 'https://app.example'],
    ['127.0.0.1:8080', 'http://evil.example'],
    ['listed.example', 'http://listed.example'],
  ])('is none that asks %s as %s', async (host, origin) => {
    await using open = await startGate({ corsOrigins: ['http://listed.example'] }, everybody);
    expect(await statusOf(open, host, origin)).toEqual([200, undefined]);
  });

  it('finds nothing open where a key is needed, or the whole network may ask', async () => {
    const [name, origin] = ['evil.example', 'http://evil.example'];
    expect(await statusOf(gate, name, origin)).toEqual([401, 'invalid_api_key']);
    expect(await statusOf(gate, name, origin, 'x-api-key: the-key\r\n')).toEqual([200, undefined]);
    await using wide = await startGate({ host: '0.0.0.0' }, everybody);
    expect(await statusOf(wide, name, origin)).toEqual([200, undefined]);
  });
});

describe('the API console', () => {
  it('is a page that runs its own scripts only', async () => {
    for (const path of ['/docs', '/docs/', '//docs', '/docs/index.html']) {
      const page = await fetch(gate.url + path);
      expect([page.status, page.headers.get('content-type')]).toEqual([
        200,
        expect.stringContaining('text/html'),
      ]);
      expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/);
      expect(page.headers.get('x-content-type-options')).toBe('nosniff');
      const html = await page.text();
      expect(html).not.toMatch(/<script(?![^>]* src=)/);
    }
  });

  it('has everything that its page loads', async () => {
    const html = await (await fetch(`${gate.url}/docs/`)).text();
    const links = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) {
      const asset = await fetch(`${gate.url}/docs/${link}`);
      expect([link, asset.status]).toEqual([link, 200]);
      expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  });

  it.each(['swagger-ui-bundle.js.map', 'swagger-ui.css.map', 'swagger-ui.js', 'package.json', 'LICENSE'])(
    'serves nothing else of its package: %s',
    async (asset) => {
      expect((await fetch(`${gate.url}/docs/${asset}`)).status).toBe(404);
    },
  );
});
