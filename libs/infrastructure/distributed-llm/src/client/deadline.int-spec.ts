import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Deadline } from '@morgan/foundation';
import { STOPPED_CLOCK, waitFor } from '@morgan/testing';
import { ClientBench, entry, errorOf, send, STREAM } from '../../fixture/client-bench.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';

const HEADER = 'x-morgan-deadline-ms';

const bench = new ClientBench();
const hosts = new TestHosts();

afterEach(async () => {
  jest.useRealTimers();
  await bench.close();
  await hosts.close();
});

describe('the deadline of a call', () => {
  it('goes to every host that is tried, less the time that has passed', async () => {
    const seen: number[] = [];
    const failing = await hosts.plain((request, response) => {
      seen.push(Number(request.headers[HEADER]));
      setTimeout(() => response.writeHead(503).end(), 100);
    });
    const good = await hosts.plain((request, response) => {
      seen.push(Number(request.headers[HEADER]));
      response.end('{}');
    });
    const client = bench.client([entry('failing', failing), entry('good', good)]);
    const response = await send(client, {}, { deadline: Deadline.after(60_000) });
    await response.body.bytes();
    const [first = NaN, second = NaN] = seen;
    expect(first).toBeLessThanOrEqual(60_000);
    expect(first).toBeGreaterThan(50_000);
    // Timers may fire a millisecond early.
    expect(first - second).toBeGreaterThanOrEqual(98);
  });

  it('is unknown to hosts where there is none', async () => {
    const host = await hosts.fake();
    const client = bench.client([entry('host', host.url)]);
    await (await send(client, { headers: { [HEADER]: '50' } })).body.bytes();
    expect(host.requests[0]?.headers).not.toHaveProperty(HEADER);
  });

  it('is left to whoever keeps it with the signal of the call', async () => {
    const deadline = Deadline.after(50);
    const late = await hosts.plain((_request, response) => {
      void waitFor(() => deadline.passed, { what: 'the deadline' }).then(() => response.end('{}'));
    });
    const client = bench.client([entry('late', late)]);
    const context = { id: 'call', signal: new AbortController().signal, deadline, keepsDeadline: true };
    const response = await client.send(
      { method: 'GET', path: '/other', headers: {}, body: undefined },
      context,
    );
    expect(response.status).toBe(200);
  });

  it('ends the wait for a host that stalls, and asks no other', async () => {
    const [stalled, other] = [
      await hosts.fake({ fault: { kind: 'stall-before-headers' } }),
      await hosts.fake(),
    ];
    const client = bench.client([entry('stalled', stalled.url), entry('other', other.url)]);
    jest.useFakeTimers(STOPPED_CLOCK);
    const ended = errorOf(send(client, {}, { deadline: Deadline.after(150) }));
    const atHost = await stalled.nextRequest();
    jest.advanceTimersByTime(150);
    const error = await ended;
    expect([error.code, error.status]).toEqual(['deadline_exceeded', 504]);
    await atHost.whenAborted();
    expect(other.requests).toHaveLength(0);
    expect(await bench.metric('morgan_llm_host_requests_total{host="stalled",outcome="expired"}')).toBe('1');
  });

  it('ends a stream, too', async () => {
    const host = await hosts.fake({ fault: { kind: 'stall-in-stream', afterChunks: 3 } });
    const client = bench.client([entry('host', host.url)]);
    const response = await send(client, { body: STREAM }, { deadline: Deadline.after(2_500) });
    expect((await errorOf(response.body.bytes())).code).toBe('deadline_exceeded');
    await (await host.nextRequest()).whenAborted();
    await waitFor(() => client.getStatus().hosts[0]?.inFlight === 0, { what: 'the end of the try' });
    expect(client.getStatus().hosts[0]).toMatchObject({
      failures: 0,
      health: { live: { ok: 0, failed: 0 } },
    });
  });

  it('is what the caller hears of where a refusal breaks off at it', async () => {
    const url = await hosts.plain((_, response) => {
      response.writeHead(503, { 'content-type': 'application/json' }).flushHeaders();
    });
    const client = bench.client([entry('host', url)]);
    const error = await errorOf(send(client, {}, { deadline: Deadline.after(200) }));
    expect([error.code, error.status]).toEqual(['deadline_exceeded', 504]);
  });

  it('that has passed already asks nobody', async () => {
    const host = await hosts.fake();
    const client = bench.client([entry('host', host.url)]);
    const error = await errorOf(send(client, {}, { deadline: Deadline.after(0) }));
    expect(error.code).toBe('deadline_exceeded');
    expect(host.requests).toHaveLength(0);
  });

  it('does not hide that the caller went away', async () => {
    const host = await hosts.fake({ fault: { kind: 'stall-before-headers' } });
    const client = bench.client([entry('host', host.url)]);
    const caller = new AbortController();
    const outcome = errorOf(send(client, {}, { signal: caller.signal, deadline: Deadline.after(60_000) }));
    const atHost = await host.nextRequest();
    caller.abort();
    expect((await outcome).code).toBe('client_closed_request');
    await atHost.whenAborted();
  });

  it.each([
    ['answered', {}],
    ['failed', { fault: { kind: 'status', status: 500 } as const }],
  ])('leaves nothing behind once the call has %s', async (_, options) => {
    const host = await hosts.fake(options);
    const client = bench.client([entry('host', host.url)]);
    const { signal } = new AbortController();
    await send(client, {}, { signal, deadline: Deadline.after(60_000) })
      .then(({ body }) => body.bytes())
      .catch(() => undefined);
    await waitFor(() => getEventListeners(signal, 'abort').length === 0, { what: 'no listener' });
  });
});

describe('a host that is slower than callers are patient', () => {
  const impatient = async (settings: Record<string, unknown>) => {
    const host = await hosts.fake({ fault: { kind: 'stall-before-headers' } });
    const client = bench.client([entry('host', host.url)], settings);
    jest.useFakeTimers(STOPPED_CLOCK);
    for (let call = 0; call < 6; call += 1) {
      const ended = errorOf(send(client, {}, { deadline: Deadline.after(350) }));
      await host.nextRequest();
      jest.advanceTimersByTime(350);
      await ended;
    }
    return client.getStatus().hosts[0];
  };

  it('is not asked last: their deadlines say nothing of it', async () => {
    expect(await impatient({})).toMatchObject({ failures: 0, circuit: { state: 'CLOSED' } });
  });

  it('is asked last where they waited as long as the operator thinks that a host may take', async () => {
    expect(await impatient({ circuitBreaker: { slowCallMs: 100 } })).toMatchObject({
      failures: 6,
      circuit: { state: 'OPEN' },
    });
  });
});
