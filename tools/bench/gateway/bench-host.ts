import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monotonicMs, SAID_AT } from './clock.ts';

/**
 * A host that costs next to nothing, so that gateways are what is measured. A prompt that has `40 events, 50 a second` is
 * answered by such a stream, each event saying when it left, the first after a fiftieth of a second, or `the first at once`; with 0 a
 * second they leave as fast as they are taken; any other by one JSON. Prints its origin.
 */
const ORDER = /(\d+) events, (\d+) a second(, the first at once)?/;
const EVENTS_A_WRITE = 32;

const json = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_764_000_000,
    model: 'bench',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'You said: "Hello, Morgan!"' },
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  }),
);

function event(choices: readonly object[], rest: object = {}): string {
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_764_000_000,
    model: 'bench',
  };
  return `data: ${JSON.stringify({ ...chunk, choices, ...rest })}\n\n`;
}
const delta = (value: object, finish: string | null = null) =>
  event([{ index: 0, delta: value, finish_reason: finish }]);

const ROLE = delta({ role: 'assistant', content: '' });
const STOP = delta({}, 'stop');
const USAGE = event([], { usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } });
const [BEFORE_STAMP = '', BEHIND_STAMP = ''] = delta({ content: SAID_AT + '|' }).split('|');
const WORD = delta({ content: ' word' });
/** Each event in a chunk of its own, as hosts send them, and many to a write. */
const FRAMES = Buffer.from(frame(WORD).repeat(EVENTS_A_WRITE));

/** A chunk of a body. Events go past the response, which takes four writes for each: the host would be what is measured. */
function frame(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  let body = '';
  request.on('data', (data: Buffer) => (body += data.toString('latin1')));
  request.on('end', () => {
    if (request.method === 'POST') answer(body, response);
    else send(Buffer.from('{"object":"list","data":[{"id":"bench","object":"model"}]}'), response);
  });
});

function answer(body: string, response: ServerResponse): void {
  const [order, events, perSecond, atOnce] = ORDER.exec(body) ?? [];
  if (order === undefined) return send(json, response);
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(ROLE);
  const end = () =>
    response.end(STOP + (body.includes('"include_usage":true') ? USAGE : '') + 'data: [DONE]\n\n');
  const pace = { everyMs: 1_000 / Number(perSecond), isFirstAtOnce: atOnce !== undefined };
  if (Number(perSecond) > 0) sayInTime(response, Number(events), pace, end);
  else sayAtOnce(response, Math.ceil(Number(events) / EVENTS_A_WRITE), end);
}

function send(body: Buffer, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function sayInTime(
  response: ServerResponse,
  events: number,
  { everyMs, isFirstAtOnce }: { readonly everyMs: number; readonly isFirstAtOnce: boolean },
  end: () => void,
): void {
  const startedAt = monotonicMs();
  let said = 0;
  let timer: NodeJS.Timeout | undefined;
  const say = () => {
    response.socket?.write(frame(BEFORE_STAMP + monotonicMs().toFixed(3) + BEHIND_STAMP), 'latin1');
    said += 1;
    if (said === events) end();
    else sayNext();
  };
  // By the time since the start: intervals of Node that once came together stay together, and would come as ever larger crowds.
  const sayNext = () => {
    const dueAt = startedAt + (said + (isFirstAtOnce ? 0 : 1)) * everyMs;
    timer = setTimeout(say, Math.max(1, dueAt - monotonicMs()));
  };
  response.once('close', () => clearTimeout(timer));
  if (isFirstAtOnce) say();
  else sayNext();
}

function sayAtOnce(response: ServerResponse, writes: number, end: () => void): void {
  const { socket } = response;
  for (let left = writes; left > 0; left -= 1) {
    if (!socket || socket.destroyed) return;
    if (socket.write(FRAMES) || left === 1) continue;
    socket.once('drain', () => sayAtOnce(response, left - 1, end));
    return;
  }
  end();
}

server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
