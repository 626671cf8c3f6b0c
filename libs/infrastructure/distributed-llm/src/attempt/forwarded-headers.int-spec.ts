import { afterEach, expect, it } from '@jest/globals';
import { ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';

const bench = new ClientBench();
const hosts = new TestHosts();

afterEach(async () => {
  await bench.close();
  await hosts.close();
});

it('a host gets the headers of callers that it is to have, and no other host does', async () => {
  const [trusted, other] = [await hosts.fake(), await hosts.fake()];
  const list = [
    { ...entry('trusted', trusted.url), forwardHeaders: ['X-Tenant'] },
    entry('other', other.url),
  ];
  const client = bench.client(list, { strategy: 'round_robin' });
  const headers = { 'x-tenant': 't1', 'x-user': 'u1' };
  await send(client, { headers });
  await send(client, { headers });
  const seen = [trusted, other].map(({ calls }) => calls.map((call) => call.headers['x-tenant']));
  expect(seen).toEqual([['t1'], [undefined]]);
  expect(trusted.calls[0]?.headers).not.toHaveProperty('x-user');
});
