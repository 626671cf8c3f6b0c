import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { ask, ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import { chat, events, ROLE_CHUNK, ScriptedHost, silence } from '../../fixture/scripted-host.ts';

const bench = new ClientBench();
afterEach(() => {
  jest.useRealTimers();
  return bench.close();
});

describe('an answer that is not streamed', () => {
  it('and takes too long is 504 once, and no host is blamed', async () => {
    await using first = await ScriptedHost.start(silence);
    await using second = await ScriptedHost.start(silence);
    const client = bench.client([entry('first', first.url), entry('second', second.url)], {
      answerTimeoutMs: 100,
    });
    jest.useFakeTimers(STOPPED_CLOCK);
    const calls = Promise.all([errorOf(send(client)), errorOf(send(client))]);
    await waitFor(() => first.asked + second.asked === 2, { what: 'both calls' });
    jest.advanceTimersByTime(100);
    const errors = await calls;
    expect(errors.map(({ code, status }) => [code, status])).toEqual([
      ['host_timeout', 504],
      ['host_timeout', 504],
    ]);
    expect(first.asked + second.asked).toBe(2);
    for (const host of client.getStatus().hosts)
      expect(host).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('goes elsewhere where its route says so', async () => {
    await using slow = await ScriptedHost.start(silence);
    await using quick = await ScriptedHost.start();
    const client = bench.client([entry('slow', slow.url), entry('quick', quick.url)], {
      routes: [
        {
          model: 'simulated',
          tiers: [[{ host: 'slow' }], [{ host: 'quick' }]],
          answerTimeoutMs: 100,
          repeatSlowAnswers: true,
        },
      ],
    });
    jest.useFakeTimers(STOPPED_CLOCK);
    const answer = ask(client);
    await waitFor(() => slow.asked === 1, { what: 'the call' });
    jest.advanceTimersByTime(100);
    expect(await answer).toMatchObject({ host: 'quick', attempts: 2 });
  });
});

describe('a stream whose first token is late', () => {
  it('is begun at a second host, and the first to begin is handed out', async () => {
    await using frozen = await ScriptedHost.start(events(ROLE_CHUNK, true));
    await using good = await ScriptedHost.start();
    const client = bench.client([entry('frozen', frozen.url), entry('good', good.url)], {
      firstTokenTimeoutMs: 100,
    });
    expect(await ask(client, { body: STREAM })).toMatchObject({ host: 'good', attempts: 2 });
    await waitFor(() => client.getStatus().hosts[0]?.inFlight === 0, { what: 'the end of the loser' });
    expect(await bench.metric('morgan_llm_host_requests_total{host="frozen",outcome="outrun"}')).toBe('1');
    expect(client.getStatus().budget.granted.hedge).toBe(1);
  });

  it('is not asked for once more where nothing came in time and there is nowhere else to go', async () => {
    await using sole = await ScriptedHost.start(silence);
    const client = bench.client([entry('sole', sole.url)], { firstByteTimeoutMs: 150 });
    jest.useFakeTimers(STOPPED_CLOCK);
    const error = errorOf(send(client, { body: STREAM }));
    await waitFor(() => sole.asked === 1, { what: 'the call' });
    jest.advanceTimersByTime(150);
    expect(await error).toMatchObject({ code: 'host_timeout' });
    expect(sole.asked).toBe(1);
    expect(client.getStatus().hosts[0]).toMatchObject({ failures: 1, lastError: 'timeout' });
  });

  it('waits where there is nowhere else to go', async () => {
    await using slow = await ScriptedHost.start((response, request, body) => {
      setTimeout(() => chat('hello')(response, request, body), 300);
    });
    const client = bench.client([entry('slow', slow.url)], { firstTokenTimeoutMs: 50 });
    expect(await ask(client, { body: STREAM })).toMatchObject({ host: 'slow', attempts: 1 });
  });
});
