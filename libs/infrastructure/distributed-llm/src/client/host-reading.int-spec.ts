import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { refusal, type Reply, ScriptedHost } from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => bench.close());

describe('hosts that rest, all of them,', () => {
  it.each<[string, Reply]>([
    ['the key', refusal(401, 'expired')],
    ['a quota', refusal(402, 'Insufficient credits.')],
  ])('because of %s are not up, until one may be asked again', async (_, refuses) => {
    await using one = await ScriptedHost.start(refuses);
    await using two = await ScriptedHost.start(refuses);
    const client = bench.client([entry('one', one.url), entry('two', two.url)]);
    const ready = bench.client([entry('one', one.url), entry('two', two.url)], { readiness: 'hosts' });
    for (const each of [client, ready]) {
      await each.start();
      await send(each).then(
        ({ body }) => body.bytes(),
        () => undefined,
      );
    }
    expect([client.read().up, client.getStatus().hosts.map(({ rests }) => rests.length)]).toEqual([
      false,
      [1, 1],
    ]);
    // Whether calls come here: they are to hear for how long.
    expect(ready.read().up).toBe(true);
    client.forgetRests('two');
    expect(client.read().up).toBe(true);
  });

  it('is not said where a model rests and not the host', async () => {
    await using host = await ScriptedHost.start(refusal(404, 'model simulated not found'));
    const client = bench.client([entry('host', host.url)]);
    await client.start();
    await (await send(client)).body.bytes();
    expect([client.read().up, client.getMetrics()['host']?.rests.length]).toEqual([true, 1]);
  });
});
