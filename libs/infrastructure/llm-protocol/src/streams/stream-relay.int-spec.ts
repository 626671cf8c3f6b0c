import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { waitFor } from '@morgan/testing';
import { type GatewaySettings, type Script, StreamGateway } from '../../fixture/stream-gateway.ts';
import { MessageEvents } from '../translation/to-message/message-events.ts';
import { messagesDialect } from '../dialects/messages.dialect.ts';
import { responsesDialect } from '../dialects/responses.dialect.ts';

const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const ROLE = chunk({ role: 'assistant', content: '' });
const HELLO = chunk({ content: 'Hello' });
const WORLD = chunk({ content: ' world' });
const STOP = chunk({}, 'stop');
const LAST = chunk({ content: ' more' }, 'stop');
const USAGE = `data: ${JSON.stringify({ id: 'c1', choices: [], usage: { prompt_tokens: 2, completion_tokens: 2 } })}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** How long a host may be silent beside a reader who stops; it also has to bear a busy machine. */
const STALL_MS = 1_000;
/** More than fit into any limit of such a test. */
const MANY = 200;

const gateways: StreamGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

async function gatewayTo(script: Script, settings?: GatewaySettings): Promise<StreamGateway> {
  const gateway = await StreamGateway.start(script, settings);
  gateways.push(gateway);
  return gateway;
}

/** Hands everything to the system, then does what comes next. */
async function say(response: ServerResponse, ...events: string[]): Promise<void> {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) await new Promise((resolve) => response.write(event, resolve));
}

const whole =
  (...events: string[]): Script =>
  (response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''));
const cut =
  (...events: string[]): Script =>
  async (response) => {
    await say(response, ...events);
    response.destroy();
  };
const silent =
  (...events: string[]): Script =>
  (response) =>
    say(response, ...events);

/** These events, then one again and again, and an end where nobody stops it. */
const repeating =
  (again: string, ...events: string[]): Script =>
  async (response) => {
    await say(response, ...events);
    for (let count = 0; count < MANY && !response.destroyed; count += 1) {
      response.write(again);
      await delay(20);
    }
    response.end();
  };

/** The body lasts until the connection closes. */
const closeDelimited =
  (isReset: boolean, ...events: string[]): Script =>
  (response) => {
    const { socket } = response;
    socket?.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${events.join('')}`, () =>
      isReset ? socket.resetAndDestroy() : socket.end(),
    );
  };

function errorIn(text: string): { message: string; code: string } {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  return (JSON.parse(last.slice(6)) as { error: { message: string; code: string } }).error;
}

describe('a stream that is whole', () => {
  it('leaves as the bytes that came', async () => {
    const events = [
      ': hi\n\n',
      ROLE,
      HELLO,
      'id: 1\r\ndata: {"choices":\r\ndata: []}\r\n\r\n',
      WORLD,
      STOP,
      DONE,
    ];
    const gateway = await gatewayTo(whole(...events));
    expect(await gateway.read()).toEqual({ text: events.join(''), broken: false });
    expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed: 0, resumes: 0 });
  });

  it('hands each event out while the host goes on', async () => {
    let say: (event: string) => void = () => undefined;
    const gateway = await gatewayTo((response) => {
      say = (event) => void response.write(event);
      response.write(ROLE + HELLO);
    });
    const response = await gateway.open();
    let text = '';
    response.on('data', (data: Buffer) => (text += data.toString()));
    await waitFor(() => text === ROLE + HELLO, { what: 'the first event' });
    say(WORLD);
    await waitFor(() => text === ROLE + HELLO + WORLD, { what: 'the second event' });
    response.destroy();
  });

  it('keeps the event with token counts for callers who asked, and knows them anyway', async () => {
    const script = whole(ROLE, HELLO, STOP, USAGE, DONE);
    const [with_, without] = [await gatewayTo(script, { wantsUsage: true }), await gatewayTo(script)];
    expect((await with_.read()).text).toBe(ROLE + HELLO + STOP + USAGE + DONE);
    expect((await without.read()).text).toBe(ROLE + HELLO + STOP + DONE);
    expect(await without.outcome).toMatchObject({ usages: [{ input: 2, output: 2 }] });
  });

  it('has no events without data', async () => {
    const empty = [
      'data: \n\n',
      'event: ping\ndata\n\n',
      'event: ping\n\n',
      'id: 7\n\n',
      'retry: 3000\r\n\r\n',
      ': a comment\nid\n\n',
    ];
    const gateway = await gatewayTo(whole(...empty, ROLE, ': hi\n\n', HELLO, ...empty, WORLD, STOP, DONE));
    const events = [ROLE, ': hi\n\n', HELLO, WORLD, STOP, DONE];
    expect(await gateway.read()).toEqual({ text: events.join(''), broken: false });
    expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed: 0 });
  });

  it('waits for all of its choices, also where a host ends one of them twice', async () => {
    const second = chunk({ content: 'two' }).replace('"index":0', '"index":1');
    const gateway = await gatewayTo(cut(ROLE, HELLO, STOP, STOP, second), { choices: 2 });
    expect(await gateway.read()).toMatchObject({ broken: true });
    expect(await gateway.outcome).toMatchObject({ kind: 'failed', fault: { reason: 'cut' } });
  });

  it.each([
    ['in lines of their own', HELLO.replace('\n\n', '\n') + WORLD],
    ['in one line', HELLO.trimEnd() + WORLD],
  ])('loses none of the events that a host leaves no blank line between: %s', async (_, both) => {
    const gateway = await gatewayTo(whole(ROLE, both, STOP, DONE));
    expect(await gateway.read()).toEqual({ text: ROLE + HELLO + WORLD + STOP + DONE, broken: false });
    expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed: 0 });
  });

  it('is read where its host leaves no blank lines at all', async () => {
    const events = [ROLE, HELLO, WORLD, STOP, DONE];
    const gateway = await gatewayTo(whole(events.join('').replaceAll('\n\n', '\n')));
    expect(await gateway.read()).toEqual({ text: events.join(''), broken: false });
  });

  it.each<[string, Script]>([
    ['ends', whole(ROLE, HELLO, STOP)],
    ['is cut', cut(ROLE, HELLO, STOP)],
    ['is reset', closeDelimited(true, ROLE, HELLO, STOP)],
    ['ends within the marker', whole(ROLE, HELLO, STOP, 'data: [DO')],
    ['says the marker without its blank line', whole(ROLE, HELLO, STOP, 'data: [DONE]')],
    ['reports an error', whole(ROLE, HELLO, STOP, 'data: {"error":{"message":"late"}}\n\n')],
    ['counts and then says nothing', silent(ROLE, HELLO, STOP, USAGE)],
  ])('gets its end marker when the host %s behind the last choice', async (_, script) => {
    const gateway = await gatewayTo(script);
    const { text, broken } = await gateway.read();
    expect(text.trimEnd()).toBe((ROLE + HELLO + STOP + DONE).trimEnd());
    expect(broken).toBe(false);
  });

  it('gets its end marker soon when the host says nothing behind the last choice', async () => {
    const gateway = await gatewayTo(silent(ROLE, HELLO, STOP), { limits: { finishMs: 20 } });
    expect(await gateway.read()).toEqual({ text: ROLE + HELLO + STOP + DONE, broken: false });
  });

  it.each([
    ['empty events', 'data: {"choices":[]}\n\n'],
    ['empty texts', chunk({ content: '' })],
    ['comments', ': hi\n\n'],
  ])('gets its end marker soon when the host says %s only behind the last choice', async (_, again) => {
    const gateway = await gatewayTo(repeating(again, ROLE, HELLO, STOP), { limits: { finishMs: 200 } });
    const { text, broken } = await gateway.read();
    expect([text.startsWith(ROLE + HELLO + STOP), text.endsWith(DONE), broken]).toEqual([true, true, false]);
    expect(text.split(again).length - 1).toBeLessThan(MANY);
  });

  it('leaves its connection to another one, though the body ends a little behind its end marker', async () => {
    const ports: (number | undefined)[] = [];
    const gateway = await gatewayTo(async (response) => {
      ports.push(response.socket?.remotePort);
      await say(response, ROLE, HELLO, STOP, DONE);
      await delay(10);
      response.end();
    });
    const isKept = async () => {
      await gateway.read();
      return new Set(ports).size < ports.length;
    };
    await waitFor(isKept, { what: 'a connection that is used again' });
  });

  it('may follow any number of comments', async () => {
    const comments = Array.from({ length: 300 }, (_, at) => `: ${at} ${'x'.repeat(5_000)}\n\n`);
    const gateway = await gatewayTo(whole(...comments, ROLE, HELLO, STOP, DONE));
    const { text, broken } = await gateway.read();
    expect([text.endsWith(ROLE + HELLO + STOP + DONE), broken]).toEqual([true, false]);
    // What is held back has the limit of one event.
    expect(text.length).toBeLessThan(comments.join('').length);
  });

  it.each<[string, Script]>([
    ['and its end marker', whole(ROLE, LAST, LAST, DONE)],
    ['and ends', whole(ROLE, LAST, LAST)],
  ])('may say of each of its events that it is the last %s', async (_, script) => {
    expect(await (await gatewayTo(script)).read()).toEqual({
      text: ROLE + LAST + LAST + DONE,
      broken: false,
    });
  });

  it('has no byte order mark: behind a comment of ours it would be a part of the first event', async () => {
    const gateway = await gatewayTo(whole(`\uFEFF${ROLE}`, HELLO, STOP, DONE));
    expect(await gateway.read()).toEqual({ text: ROLE + HELLO + STOP + DONE, broken: false });
  });

  const MESSAGE = ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop']
    .map((type) => ({ type, index: 0, delta: { type: 'text_delta', text: 'Hi' } }))
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const MESSAGE_END =
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n';

  it('has the end marker of its own dialect, whichever its host says', async () => {
    const gateway = await gatewayTo(whole(...MESSAGE, MESSAGE_END, DONE), { dialect: messagesDialect });
    const { text, broken } = await gateway.read();
    expect([text, broken]).toEqual([
      `${MESSAGE.join('')}${MESSAGE_END}${messagesDialect.endMarker?.toString()}`,
      false,
    ]);
  });

  it.each([
    ['a message', messagesDialect, MESSAGE.join('')],
    [
      'a response',
      responsesDialect,
      'event: x\ndata: {"type":"response.output_text.delta","delta":"Hi","sequence_number":1}\n\n',
    ],
  ])('has not ended with the end marker of another dialect alone: %s', async (_, dialect, begun) => {
    const gateway = await gatewayTo(whole(begun, DONE), { dialect });
    const { text, broken } = await gateway.read();
    expect([text.includes('[DONE]'), broken]).toEqual([false, true]);
    expect(await gateway.outcome).toMatchObject({ kind: 'failed', fault: { reason: 'unfinished' } });
  });

  it('may be empty', async () => {
    const gateway = await gatewayTo(whole(ROLE, STOP, DONE));
    expect((await gateway.read()).text).toBe(ROLE + STOP + DONE);
  });

  it('may lack an end where the route says so, and gets no marker then', async () => {
    const gateway = await gatewayTo(whole(ROLE, HELLO), { acceptUnfinished: true });
    expect(await gateway.read()).toEqual({ text: ROLE + HELLO, broken: false });
  });
});

describe('a stream that breaks behind its first content', () => {
  it.each<[string, Script, string, string?]>([
    ['is cut', cut(ROLE, HELLO), 'The connection to the host broke.'],
    [
      'is cut and had said of each event that it is the last',
      cut(ROLE, HELLO, LAST, LAST),
      'The connection to the host broke.',
    ],
    [
      'is cut and had said of each event that it is not',
      cut(ROLE, HELLO, chunk({ content: ' world' }, 'null')),
      'The connection to the host broke.',
    ],
    ['ends', whole(ROLE, HELLO), 'The stream ended before its answer did.'],
    [
      'ends by closing its connection',
      closeDelimited(false, ROLE, HELLO),
      'The stream ended before its answer did.',
    ],
    ['ends by a reset', closeDelimited(true, ROLE, HELLO), 'The '],
    [
      'ends within an event',
      whole(ROLE, HELLO, WORLD.slice(0, 30)),
      'The stream ended before its answer did.',
    ],
    ['falls silent', silent(ROLE, HELLO), 'The stream was longer silent than the limit of 100 ms.'],
    [
      'sends comments only',
      repeating(': ping\n\n', ROLE, HELLO),
      'The stream was longer silent than the limit of 100 ms.',
    ],
    [
      'reports an error',
      whole(ROLE, HELLO, 'data: {"error":{"message":"CUDA","code":500}}\n\n', DONE),
      'CUDA',
    ],
    [
      'reports an error with a code',
      whole(
        ROLE,
        HELLO,
        'data: {"error":{"message":"Too long.","code":"context_length_exceeded"}}\n\n',
        DONE,
      ),
      'Too long.',
      'context_length_exceeded',
    ],
    [
      'sends a huge event',
      whole(ROLE, HELLO, chunk({ content: 'x'.repeat(2_000_000) })),
      'An event of the stream',
    ],
  ])('ends with an error event and broken when the host %s', async (_, script, message, ...code) => {
    for (const read of ['read', 'readUntilClose'] as const) {
      const isSilent = message.includes('silent');
      const gateway = await gatewayTo(script, isSilent ? { limits: { stallMs: 100 } } : {});
      const { text, broken } = await gateway[read]();
      expect(broken).toBe(true);
      expect(text).toContain(HELLO);
      expect(text).not.toContain('[DONE]');
      expect(errorIn(text)).toMatchObject({
        code: code[0] ?? 'stream_interrupted',
        message: expect.stringContaining(message),
      });
      expect(await gateway.outcome).toMatchObject({ kind: 'failed' });
    }
  });

  it("tells the error as Anthropic's clients look for it", async () => {
    const delta = `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n`;
    const gateway = await gatewayTo(cut(delta), { dialect: messagesDialect });
    expect((await gateway.read()).text).toBe(
      `${delta}event: error\ndata: {"type":"error","error":{"type":"api_error","message":"The connection to the host broke."}}\n\n`,
    );
  });

  it('tells the error with its place in the row of a response', async () => {
    const delta = `data: {"type":"response.output_text.delta","sequence_number":4,"delta":"Hi"}\n\n`;
    const gateway = await gatewayTo(cut(delta), { dialect: responsesDialect });
    expect((await gateway.read()).text).toContain('"sequence_number":5');
  });
});

describe('a stream without content', () => {
  it.each<[string, Script, string]>([
    ['ends at once', whole(), 'empty'],
    ['has a role and ends', whole(ROLE), 'unfinished'],
    ['has an end marker only', whole(DONE), 'empty'],
    ['begins with an error', whole('data: {"error":{"message":"no"}}\n\n'), 'host_error'],
    ['is HTML', whole('<html>\n\n<body>'), 'empty'],
    ['is cut', cut(ROLE), 'cut'],
    ['says nothing', silent(ROLE), 'first_content_timeout'],
    ['sends comments only', repeating(': ping\n\n', ROLE), 'first_content_timeout'],
  ])('is a fault that nobody has seen yet when the host %s', async (_, script, reason) => {
    const isLate = reason === 'first_content_timeout';
    const gateway = await gatewayTo(script, isLate ? { limits: { firstContentMs: 100 } } : {});
    const response = await gateway.open();
    expect(response.statusCode).toBe(502);
    expect(String(((await once(response, 'data')) as [Buffer])[0])).toBe(reason);
  });
});

describe("a host's chat for a caller who speaks messages", () => {
  const typesOf = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);
  const settings = () => ({ translation: { to: messagesDialect, translator: new MessageEvents() } });

  it('is whole', async () => {
    const gateway = await gatewayTo(whole(ROLE, HELLO, STOP, USAGE, DONE), settings());
    const { text, broken } = await gateway.read();
    expect(broken).toBe(false);
    expect(typesOf(text)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(text).toContain('"output_tokens":2');
    expect(text).not.toContain('[DONE]');
  });

  it('is whole with events that have no data', async () => {
    const gateway = await gatewayTo(whole('data: \n\n', HELLO, 'data:\n\n', STOP, DONE), settings());
    const { text, broken } = await gateway.read();
    expect([typesOf(text).at(-1), broken]).toEqual(['message_stop', false]);
  });

  it.each([
    ['at the first content', whole(ROLE, WORLD, STOP, DONE)],
    ['behind it', repeating(WORLD, ROLE, HELLO)],
    ['at an end without its blank line', whole(ROLE, HELLO, WORLD.trimEnd())],
  ])('breaks alone where a translator fails %s', async (_, script) => {
    const translator = new MessageEvents();
    const take = (json: JsonObject) => {
      if (JSON.stringify(json).includes('world')) throw new TypeError('a fault of ours');
      return translator.take(json);
    };
    const broken = { take, end: () => translator.end() };
    const gateway = await gatewayTo(script, { translation: { to: messagesDialect, translator: broken } });
    expect(await gateway.read()).toMatchObject({ broken: true });
    expect(await gateway.outcome).toMatchObject({ kind: 'failed', fault: { reason: 'host_error' } });
  });

  it('is taken up elsewhere', async () => {
    const others: GatewaySettings['others'] = [['continue', whole(ROLE, 'data: \n\n', WORLD, STOP, DONE)]];
    const gateway = await gatewayTo(cut(ROLE, HELLO), { ...settings(), others });
    const { text } = await gateway.read();
    expect(typesOf(text).filter((type) => type === 'content_block_start')).toHaveLength(1);
    expect(text).toContain('" world"');
    expect(typesOf(text).at(-1)).toBe('message_stop');
  });

  it.each<[string, Script]>([
    ['is cut', cut(ROLE, HELLO)],
    [
      'goes back to a tool call',
      whole(
        chunk({ tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '{}' } }] }),
        HELLO,
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] }),
        STOP,
        DONE,
      ),
    ],
  ])('ends with an error event and broken when the host %s', async (_, script) => {
    const gateway = await gatewayTo(script, settings());
    const { text, broken } = await gateway.read();
    expect(broken).toBe(true);
    expect(typesOf(text).at(-1)).toBe('error');
    expect(typesOf(text)).not.toContain('message_stop');
  });
});

describe('keep-alive', () => {
  it('comments while the host is silent', async () => {
    const gateway = await gatewayTo(silent(ROLE, HELLO), { keepAliveMs: 20 });
    const response = await gateway.open();
    let text = '';
    response.on('data', (data: Buffer) => (text += data.toString()));
    await waitFor(() => text.includes(': keep-alive\n\n: keep-alive\n\n'), { what: 'two comments' });
    expect(text.startsWith(ROLE + HELLO)).toBe(true);
    response.destroy();
    expect(await gateway.outcome).toMatchObject({ kind: 'caller_gone' });
  });

  it('comments without a blank line where events have ids, which some clients take for one more event', async () => {
    const gateway = await gatewayTo(silent(`id: 1\n${ROLE}`, `id: 2\n${HELLO}`), { keepAliveMs: 20 });
    const response = await gateway.open();
    let text = '';
    response.on('data', (data: Buffer) => (text += data.toString()));
    await waitFor(() => text.endsWith(': keep-alive\n: keep-alive\n'), { what: 'two comments' });
    expect(text).toBe(
      `id: 1\n${ROLE}id: 2\n${HELLO}${': keep-alive\n'.repeat(text.split(': keep').length - 1)}`,
    );
    response.destroy();
  });

  it('pings callers of messages', async () => {
    const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } };
    const said = `event: content_block_delta\ndata: ${JSON.stringify(delta)}\n\n`;
    const gateway = await gatewayTo(silent(said), { dialect: messagesDialect, keepAliveMs: 20 });
    const response = await gateway.open();
    let text = '';
    response.on('data', (data: Buffer) => (text += data.toString()));
    const ping = 'event: ping\ndata: {"type":"ping"}\n\n';
    await waitFor(() => text.startsWith(said + ping + ping), { what: 'two pings' });
    response.destroy();
    expect(await gateway.outcome).toMatchObject({ kind: 'caller_gone' });
  });

  it('begins before a host has answered where a setting says so; a failure then is told in the stream', async () => {
    const gateway = await gatewayTo(silent(ROLE), { earlyKeepAliveMs: 20, limits: { firstContentMs: 200 } });
    const { text, broken } = await gateway.read();
    expect(broken).toBe(true);
    expect(text).toMatch(/^: keep-alive\n\n/);
    expect(errorIn(text).code).toBe('first_content_timeout');
  });
});

describe('a slow reader', () => {
  it('holds the host back, and its pause is no silence of the host', async () => {
    const [event, count] = [chunk({ content: 'x'.repeat(50_000) }), 600];
    let left = count;
    const gateway = await gatewayTo(
      (response) => {
        const write = () => {
          while (left > 0) if (((left -= 1), !response.write(event))) return;
          response.end(STOP + DONE);
        };
        response.on('drain', write);
        write();
      },
      { limits: { stallMs: STALL_MS } },
    );
    const response = (await gateway.open()).pause();
    // Longer than the host may be silent.
    await waitFor(() => isSteady(() => left, STALL_MS * 1.5), { what: 'the host to be held back' });
    expect(left).toBeGreaterThan(count / 2);
    let bytes = 0;
    response.on('data', (data: Buffer) => (bytes += data.length)).resume();
    await waitFor(() => bytes > 5_000_000 && response.pause(), { what: 'the host to go on' });
    await waitFor(() => isSteady(() => left, 100), { what: 'the host to be held back again' });
    await once(response.resume(), 'end');
    expect(bytes).toBe(event.length * count + STOP.length + DONE.length);
    expect(await gateway.outcome).toMatchObject({ kind: 'complete' });
  });

  it('that leaves frees the host', async () => {
    let isGone = false;
    const gateway = await gatewayTo((response) => {
      response.once('close', () => (isGone = true));
      void say(response, ROLE, HELLO);
    });
    const response = await gateway.open();
    await once(response, 'data');
    response.destroy();
    await waitFor(() => isGone, { what: 'the host to be left' });
    expect(await gateway.outcome).toMatchObject({ kind: 'caller_gone' });
  });
});

/** Whether it stays as it is for so long. */
async function isSteady(read: () => number, ms: number): Promise<boolean> {
  const before = read();
  await delay(ms);
  return read() === before;
}
