import { afterEach, describe, expect, it } from '@jest/globals';
import { CHAT, ClientBench, entry } from '../../fixture/client-bench.ts';
import { ScriptedHost, text } from '../../fixture/scripted-host.ts';

const MIB = 1024 * 1024;
const TYPE = { 'content-type': 'application/json' };

const bench = new ClientBench();
afterEach(() => bench.close());

describe('an answer that is wanted as JSON', () => {
  it('may begin with a byte order mark', async () => {
    await using host = await ScriptedHost.start(text(200, '\uFEFF{"choices":[{"message":{}}]}', TYPE));
    const { data } = await bench.client([entry('host', host.url)]).post('/chat/completions', CHAT);
    expect(data).toEqual({ choices: [{ message: {} }] });
  });

  it('may be asked for without the slash in front of the path, as a stream, too', async () => {
    const answer = '{"choices":[{"index":0,"message":{"content":"Hi."},"finish_reason":"stop"}]}';
    const paths: (string | undefined)[] = [];
    await using host = await ScriptedHost.start((response, request, body) => {
      paths.push(request.url);
      text(200, answer, TYPE)(response, request, body);
    });
    const client = bench.client([entry('host', host.url)]);
    await client.post('chat/completions', CHAT);
    const first = await client.stream('chat/completions', CHAT).next();
    expect(first.value).toMatchObject({ choices: [{ delta: { content: 'Hi.' } }] });
    expect(paths).toEqual(['/v1/chat/completions', '/v1/chat/completions']);
  });

  it('is held up to 64 MiB, and no more of it is read', async () => {
    const long = `{"choices":[{"message":{"content":"${'x'.repeat(65 * MIB)}"}}]}`;
    await using host = await ScriptedHost.start(text(200, long, TYPE));
    // So much takes its time on a busy machine, and that is not what is tested.
    const patient = { firstByteTimeoutMs: 60_000, idleTimeoutMs: 60_000 };
    const asked = bench.client([entry('host', host.url)], patient).post('/chat/completions', CHAT);
    await expect(asked).rejects.toMatchObject({
      code: 'host_error',
      message: expect.stringContaining(`${64 * MIB} bytes`),
    });
  });
});
