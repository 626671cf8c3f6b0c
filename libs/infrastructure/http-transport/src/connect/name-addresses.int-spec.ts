import type { RequestListener } from 'node:http';
import type { LookupFunction } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, waitFor } from '@morgan/testing';
import { FullListener } from '../../fixture/full-listener.ts';
import { HttpTransport, type HttpTransportOptions } from '../http-transport.ts';

/** Two replicas behind one name, on one port of two addresses of this machine. */
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];
let replicas: LocalServer[] = [];
let served: number[] = [];
let addresses: string[] = [];
let origin: string;
let transport: HttpTransport;

/** What the name server says in place of the addresses; `silence`: nothing. */
let failure: string | undefined;

const lookup: LookupFunction = (_, options, callback) => {
  expect(options.all).toBe(true);
  if (failure === 'silence') return;
  if (failure) return callback(Object.assign(new Error(failure), { code: failure }), []);
  callback(
    null,
    addresses.map((address) => ({ address, family: 4 })),
  );
};

beforeEach(async () => {
  served = [0, 0];
  failure = undefined;
  addresses = [...ADDRESSES];
  let port = 0;
  replicas = [];
  for (const [which, address] of ADDRESSES.entries()) {
    const respond: RequestListener = (_, response) => {
      served[which] = (served[which] ?? 0) + 1;
      response.end(String(which));
    };
    const replica = await listen(respond, { port, host: address });
    ({ port } = replica);
    replicas.push(replica);
  }
  origin = `http://replicas.test:${port}`;
});

afterEach(async () => {
  await transport.close(0);
  for (const replica of replicas) await replica.close();
});

const use = (options: Partial<HttpTransportOptions> = {}) =>
  (transport = new HttpTransport({ lookup, ...options }));

async function ask(): Promise<string> {
  const response = await transport.request({ origin, path: '/', method: 'GET' });
  return (await response.bytes()).toString();
}

describe('the replicas behind one name', () => {
  it('share requests that come one after the other, over kept connections', async () => {
    use();
    for (let request = 0; request < 40; request += 1) await ask();
    for (const count of served) expect(count).toBeGreaterThanOrEqual(18);
    // A connection may be picked before the one before it is free again.
    expect(transport.statusOf(origin).opened).toBeLessThanOrEqual(4);
  });

  it('share requests that each find the connections before them free', async () => {
    use();
    for (let request = 0; request < 6; request += 1) {
      await ask();
      await waitFor(
        () => {
          const { connected, free } = transport.statusOf(origin);
          return free === connected;
        },
        { what: 'the connection to be free' },
      );
    }
    expect(served).toEqual([3, 3]);
    expect(transport.statusOf(origin).opened).toBe(2);
  });

  it('share requests that come together', async () => {
    use({ maxConnections: 10 });
    for (let wave = 0; wave < 5; wave += 1) await Promise.all(Array.from({ length: 20 }, ask));
    for (const count of served) expect(count).toBeGreaterThanOrEqual(25);
    expect(transport.statusOf(origin).opened).toBe(10);
  });

  it('are found again when connections are old: a new one gets its part, one that is gone gets nothing', async () => {
    addresses = ADDRESSES.slice(0, 1);
    use({ maxConnectionAgeMs: 50 });
    await ask();
    expect(served).toEqual([1, 0]);
    addresses = [...ADDRESSES];
    await waitFor(async () => (await ask()) === '1', { what: 'the new replica' });
    addresses = ADDRESSES.slice(1);
    // From now on a look-up names only the second one; connections to the first end with their age.
    await waitFor(async () => [await ask(), await ask(), await ask()].join('') === '111', {
      what: 'the end of the first',
    });
  });

  it('stand in for each other where one takes no connection', async () => {
    await replicas[1]?.close();
    use();
    for (let request = 0; request < 10; request += 1) expect(await ask()).toBe('0');
    expect(transport.statusOf(origin).opened).toBeLessThanOrEqual(4);
  });
});

it('an address that is only slow has all the time there is for a connection, where another refuses', async () => {
  const full = await FullListener.open();
  use({
    connectTimeoutMs: 900,
    lookup: (_, __, callback) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]),
  });
  const startedAt = performance.now();
  const asked = transport.request({ origin: `http://far.test:${full.port}`, path: '/', method: 'GET' });
  await expect(asked).rejects.toMatchObject({ reason: 'connect_timeout' });
  // Far above Node's quarter of a second. A timer begins with the turn of the event loop that sets it, which may have been a long one.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500);
  await full.close();
});

describe('a name server', () => {
  it.each(['EAI_AGAIN', 'ESERVFAIL', 'silence'])(
    'that fails by %s takes no host away: new connections go where the last ones went',
    async (how) => {
      use({ maxKeepalive: 0 });
      await ask();
      failure = how;
      const { opened } = transport.statusOf(origin);
      await waitFor(() => transport.statusOf(origin).connected === 0, { what: 'the end of the connection' });
      expect(['0', '1']).toContain(await ask());
      expect(transport.statusOf(origin).opened).toBe(opened + 1);
    },
  );

  it('that says that there is no such name is believed, and so is one that never answered', async () => {
    use({ maxKeepalive: 0 });
    failure = 'EAI_AGAIN';
    await expect(ask()).rejects.toMatchObject({ reason: 'dns_failed' });
    failure = undefined;
    await ask();
    failure = 'ENOTFOUND';
    await waitFor(() => transport.statusOf(origin).connected === 0, { what: 'the end of the connection' });
    await expect(ask()).rejects.toMatchObject({ reason: 'dns_failed' });
  });
});
