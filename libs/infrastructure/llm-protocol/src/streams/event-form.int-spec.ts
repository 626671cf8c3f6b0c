import { afterEach, describe, expect, it } from '@jest/globals';
import { StreamGateway } from '../../fixture/stream-gateway.ts';

const formed = (object: string, key: string, said: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', object, choices: [{ index: 0, finish_reason: finish, [key]: said }] })}\n\n`;
const chunk = (delta: object, finish: string | null = null) =>
  formed('chat.completion.chunk', 'delta', delta, finish);
const [HELLO, WORLD] = [chunk({ content: 'Hello' }), chunk({ content: ' world' })];
const STOP = chunk({}, 'stop');
const DONE = 'data: [DONE]\n\n';

let gateway: StreamGateway;
afterEach(() => gateway.close());

/** What a caller gets where its host says this. */
async function toldOf(...events: string[]): Promise<string> {
  gateway = await StreamGateway.start((response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join('')),
  );
  return (await gateway.read()).text;
}

describe('a stream', () => {
  it('has the form of events where its host tells it, or its pieces, in that of a whole answer', async () => {
    const hello = { role: 'assistant', content: 'Hello' };
    const told = (object: string, key: string) =>
      formed(object, key, hello) + formed(object, key, { content: '' }, 'stop') + DONE;
    expect(await toldOf(told('chat.completion', 'message'))).toBe(told('chat.completion.chunk', 'delta'));
  });

  it.each([
    ['the only call', { function: { name: 'f' } }, [{ function: { name: 'f' } }]],
    ['calls by their places', { 1: { function: { name: 'f' } } }, [{ index: 1, function: { name: 'f' } }]],
  ])('has a list of calls where its host has an object: %s', async (_, calls, list) => {
    const told = chunk({ tool_calls: list }) + STOP + DONE;
    expect(await toldOf(chunk({ tool_calls: calls }), STOP, DONE)).toBe(told);
  });

  it('has a text where its host has an object for what a tool is called with', async () => {
    const call = (given: unknown) =>
      chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: given } }] });
    const id = '{"id":12345678901234567890}';
    const said = call({}).replace('{}', id);
    expect(await toldOf(said, STOP, DONE)).toBe(call(id) + STOP + DONE);
  });

  it.each([
    ['where there is none', 'data: {"citations":["a"]}\n\n', 'data: {"citations":["a"],"choices":[]}\n\n'],
    ['where it is null', 'data: {"cost":1,"choices":null}\n\n', 'data: {"cost":1,"choices":[]}\n\n'],
  ])('has a list of choices in each event, if an empty one, %s', async (_, said, told) => {
    expect(await toldOf(HELLO, said, STOP, DONE)).toBe([HELLO, told, STOP, DONE].join(''));
  });

  it.each(['event: ping\ndata: {"type":"ping"}\n\n', 'data: {}\n\n', 'data: {"object":"heartbeat"}\n\n'])(
    'has a comment for a ping: %j',
    async (ping) => {
      expect(await toldOf(ping, HELLO, ping, STOP, DONE)).toBe(
        [': keep-alive\n\n', HELLO, ': keep-alive\n\n', STOP, DONE].join(''),
      );
    },
  );

  it.each([
    ['', []],
    [' behind another event', ['data: {"a":1}\n\n']],
  ])('says once what its host says in pieces, and as a whole at their end%s', async (_, before) => {
    const end = formed('chat.completion.done', 'message', { content: 'Hello world' }, 'stop');
    const told = before.map(() => 'data: {"a":1,"choices":[]}\n\n');
    expect(await toldOf(...before, HELLO, WORLD, end, DONE)).toBe(
      [...told, HELLO, WORLD, STOP, DONE].join(''),
    );
  });
});
