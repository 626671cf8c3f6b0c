import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { ask, bodyOf, ClientBench, entry, errorOf, repeat, send } from '../../fixture/client-bench.ts';
import { chat, type Reply, ScriptedHost, silence } from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => {
  jest.useRealTimers();
  return bench.close();
});

describe('callers who give up', () => {
  it('on a frozen host take it out within ten of them', async () => {
    await using frozen = await ScriptedHost.start();
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('frozen', frozen.url), entry('good', good.url)]);
    jest.useFakeTimers(STOPPED_CLOCK);
    await repeat(8, () => ask(client));
    const asked = frozen.asked;
    await repeat(30, async () => {
      const caller = new AbortController();
      frozen.reply = () => {
        jest.advanceTimersByTime(400);
        caller.abort();
      };
      await ask(client, {}, { signal: caller.signal }).catch(() => undefined);
    });
    expect(frozen.asked - asked).toBeLessThanOrEqual(10);
    expect(frozen.asked - asked).toBeGreaterThan(1);
  });

  it('on long prompts say nothing where only short ones were answered so soon', async () => {
    const reply: Reply = (response, request, body) =>
      (body.length > 4_000 ? silence : chat('hello'))(response, request, body);
    await using host = await ScriptedHost.start(reply);
    const client = bench.client([entry('host', host.url)]);
    jest.useFakeTimers(STOPPED_CLOCK);
    await repeat(8, () => ask(client));
    const body = bodyOf('a long story '.repeat(2_000));
    const giveUp = async (request: Parameters<typeof send>[1]) => {
      const [{ asked }, caller] = [host, new AbortController()];
      const calls = Array.from({ length: 10 }, () =>
        errorOf(send(client, request, { signal: caller.signal })),
      );
      await waitFor(() => host.asked === asked + 10, { what: 'all ten' });
      jest.advanceTimersByTime(1_500);
      caller.abort();
      await Promise.all(calls);
    };
    await giveUp({ body });
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
    host.reply = silence;
    await giveUp({});
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 5, circuit: { state: 'OPEN' } });
  });

  it('early say nothing', async () => {
    await using slow = await ScriptedHost.start(silence);
    const client = bench.client([entry('slow', slow.url)]);
    await repeat(12, () => errorOf(send(client, {}, { signal: AbortSignal.timeout(10) })));
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });
});
