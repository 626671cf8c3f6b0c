import { afterEach, expect, it } from '@jest/globals';
import { BROKEN_OFF } from '@morgan/host-errors';
import { ClientBench, entry, send } from '../../fixture/client-bench.ts';
import { json, ScriptedHost } from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => bench.close());

const answer = (finish_reason: string) =>
  json(200, { id: 'c1', choices: [{ index: 0, message: { content: 'hel' }, finish_reason }] });

it.each([...BROKEN_OFF])('moves on from a whole answer that ended by `%s`', async (reason) => {
  await using odd = await ScriptedHost.start(answer(reason));
  await using good = await ScriptedHost.start(answer('stop'));
  const client = bench.client([entry('odd', odd.url, { weight: 1_000 }), entry('good', good.url)], {
    strategy: 'round_robin',
  });
  expect(await send(client)).toMatchObject({ status: 200, host: 'good' });
  expect(odd.asked).toBe(1);
});
