import { afterEach, describe, expect, it } from '@jest/globals';
import { ClientBench, entry, errorOf, KEYS, send, STREAM } from '../../fixture/client-bench.ts';
import { TestHosts } from '../../fixture/test-hosts.ts';

describe('a refusal', () => {
  const bench = new ClientBench();
  const hosts = new TestHosts();

  afterEach(async () => {
    const lines = await bench.close();
    await hosts.close();
    for (const secret of [...KEYS, 'the prompt']) expect(lines).not.toContain(secret);
  });

  it.each([400, 409, 422, 429])('with %i comes back as it is', async (status) => {
    const body = '{"error": {"message":"from the host",  "code":null}}';
    const headers = { 'retry-after': '17', 'x-ratelimit-remaining-tokens': '0' };
    const host = await hosts.fake({ fault: { kind: 'status', status, body, headers } });
    const response = await send(bench.client([entry('host', host.url)]));
    expect(response).toMatchObject({ host: 'host', status, attempts: 1 });
    expect(response.headers.join()).toContain('x-ratelimit-remaining-tokens,0');
    expect(response.headers.join()).toContain('retry-after,17');
    expect((await response.body.bytes()).toString()).toBe(body);
  });

  it('with a 401 that is about no key of the caller comes back with its words, and as none of keys', async () => {
    const body = '{"error":{"message":"The quota of this key is used up.","code":"insufficient_quota"}}';
    const host = await hosts.fake({ fault: { kind: 'status', status: 401, body } });
    const response = await send(bench.client([entry('host', host.url)]));
    expect(response).toMatchObject({ host: 'host', status: 403 });
    expect((await response.body.bytes()).toString()).toBe(body);
  });

  it.each(['-5', 'soon', 'Infinity', ''])(
    'has no retry-after that is no time, such as %j, on which clients fail',
    async (said) => {
      const body = '{"error":{"message":"slow down"}}';
      const headers = { 'retry-after': said, 'x-kept': 'so' };
      const host = await hosts.fake({ fault: { kind: 'status', status: 429, body, headers } });
      const response = await send(bench.client([entry('host', host.url)]));
      expect(response.status).toBe(429);
      expect(response.headers.join()).toContain('x-kept,so');
      expect(response.headers.join().toLowerCase()).not.toContain('retry-after');
    },
  );

  it.each([
    [
      '<ErrorResponse xmlns="https://aws.example"><Error><Code>Throttling</Code><Message>Rate &lt;exceeded&gt;</Message></Error></ErrorResponse>',
      { message: 'Rate <exceeded>', code: 'Throttling' },
    ],
    [
      '<?xml version="1.0"?>\n<AccessDeniedException><Message>No.</Message></AccessDeniedException>',
      { message: 'No.' },
    ],
    ['<UnknownOperationException/>', { message: 'UnknownOperationException' }],
    ['<head><title>429</title></head><code>7</code>', { message: expect.stringContaining('status 429') }],
  ])('in XML is told in its words: %s', async (body, error) => {
    const host = await hosts.fake({ fault: { kind: 'status', status: 429, body } });
    const response = await send(bench.client([entry('host', host.url)]));
    expect(JSON.parse((await response.body.bytes()).toString())).toMatchObject({ error });
  });

  it('that is about the request, and a caller who leaves, are no warnings about hosts', async () => {
    const body = '{"error":{"message":"messages must not be empty"}}';
    const refusing = await hosts.fake({ fault: { kind: 'status', status: 400, body } });
    expect((await send(bench.client([entry('refusing', refusing.url)]))).status).toBe(400);
    const leaver = new AbortController();
    const silent = await hosts.plain(() => leaver.abort());
    await errorOf(send(bench.client([entry('silent', silent)]), {}, { signal: leaver.signal }));
    expect(bench.log.filter(({ level }) => level !== 'debug')).toEqual([]);
    expect(bench.log.map(({ attempts }) => attempts)).toMatchObject([
      [{ host: 'refusing', outcome: 'malformed_request' }],
      [{ host: 'silent', outcome: 'aborted' }],
    ]);

    const failing = await hosts.fake({ fault: { kind: 'status', status: 503, body } });
    await send(bench.client([entry('failing', failing.url), entry('refusing', refusing.url)]));
    const warnings = bench.log.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      {
        message: 'a call met failing hosts',
        attempts: [
          { host: 'failing', outcome: 'server_error' },
          { host: 'refusing', outcome: 'malformed_request' },
        ],
      },
    ]);
  });

  it.each([
    ['key', { apiKey: KEYS[0] }],
    ['header', { headers: { 'api-key': String(KEYS[0]) } }],
    ['header with a scheme', { headers: { authorization: `Bearer ${KEYS[0]}` } }],
    ['parameter', { query: { key: String(KEYS[0]), 'api-version': 'no model' } }],
  ])('that quotes a %s of the host does not show it', async (_, secret) => {
    const said = `no model for ${KEYS[0] ?? ''}`;
    const body = JSON.stringify({ error: { message: said } });
    const host = await hosts.fake({ fault: { kind: 'status', status: 400, body } });
    const response = await send(bench.client([entry('host', host.url, secret)]));
    const says = (await response.body.bytes()).toString();
    expect(says).toContain('no model for [redacted]');
    expect(says).not.toContain(KEYS[0]);

    const streaming = await hosts.plain((_request, answer) => {
      const delta = '{"choices":[{"index":0,"delta":{"content":"a"}}]}';
      answer.writeHead(200, { 'content-type': 'text/event-stream' });
      answer.end(`data: ${delta}\n\ndata: ${body}\n\n`);
    });
    const { stream } = await send(bench.client([entry('streaming', streaming, secret)]), { body: STREAM });
    const nothing = () => undefined;
    stream?.start({ event: nothing, flush: nothing, ended: nothing, failed: nothing });
    expect(await stream?.over).toMatchObject({ reported: { message: 'no model for [redacted]' } });
  });

  it.each([
    ['a URL', (key: string) => encodeURIComponent(key)],
    ['a query', (key: string) => new URLSearchParams({ key }).toString()],
    ['a JSON text', (key: string) => key],
  ])('that quotes a key of the host as %s has it does not show it', async (_, written) => {
    const key = 'k+y/of="us"~*\\==';
    const body = JSON.stringify({ error: { message: `no route for ${written(key)}.` } });
    const host = await hosts.fake({ fault: { kind: 'status', status: 400, body } });
    const response = await send(bench.client([entry('host', host.url, { query: { key } })]));
    const { error } = JSON.parse((await response.body.bytes()).toString()) as { error: { message: string } };
    expect(error.message).toMatch(/^no route for (key=)?\[redacted\]\.$/);
  });
});
