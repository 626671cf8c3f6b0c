import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '@morgan/testing';
import { SOAK_TEXT } from './soak-text.ts';

/**
 * A host for the soak, in a process of its own: `soak-host.ts <seed> <share of faults>`. Most answers are whole; the others
 * break in every way that asks for no rest. `GET /seen` tells how many calls came, and with what they were answered.
 */
const [seed = 0, share = 0] = process.argv.slice(2).map(Number);
const random = seededRandom(seed);
const seen: Record<string, number> = {};

type Reply = (response: ServerResponse) => unknown;

const WORDS = SOAK_TEXT.split(/(?= )/);
const whole = {
  id: 'c1',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: SOAK_TEXT }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: WORDS.length, total_tokens: 3 + WORDS.length },
};
const event = (choices: object[], rest: object = {}) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'm', choices, ...rest })}\n\n`;
const delta = (value: object, finish: string | null = null) =>
  event([{ index: 0, delta: value, finish_reason: finish }]);
const EVENTS = [delta({ role: 'assistant', content: '' }), ...WORDS.map((content) => delta({ content }))];
const END = [delta({}, 'stop'), event([], { usage: whole.usage }), 'data: [DONE]\n\n'];
const ERROR = '{"error":{"message":"It broke.","type":"server_error"}}';

const json = (status: number, body: string): Reply => {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};
const stream = (response: ServerResponse, events: readonly string[]) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(events.join(''));
};
/** Some events, then what comes next. */
const after = (events: readonly string[], next: Reply): Reply => {
  return (response) => {
    stream(response, events);
    setImmediate(() => next(response));
  };
};
const cut: Reply = (response) => response.destroy();
const reset: Reply = ({ socket }) => socket?.resetAndDestroy();
/** Behind the status line, or it would look like a kept connection that had been closed before. */
const cutHead: Reply = ({ socket }) => socket?.write('HTTP/1.1 200 OK\r\n', () => socket.destroy());
const BEGUN = EVENTS.slice(0, 4);

const RESPONSES: Readonly<Record<string, Reply>> = {
  json: json(200, JSON.stringify(whole)),
  stream: (response) => {
    stream(response, []);
    return [...EVENTS, ...END]
      .reduce(
        (before, part) => before.then(() => delay(1)).then(() => response.write(part)),
        Promise.resolve<unknown>(undefined),
      )
      .then(() => response.end());
  },
};
const JSON_FAULTS: Readonly<Record<string, Reply>> = {
  '500': json(500, ERROR),
  'error in a 200': json(200, ERROR),
  HTML: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>'),
  nothing: json(200, ''),
  'half a JSON': json(200, '{"id":"c1","choices":['),
  'a cut head': cutHead,
};
const STREAM_FAULTS: Readonly<Record<string, Reply>> = {
  '500': json(500, ERROR),
  'a cut head': cutHead,
  'an error first': after([`data: ${ERROR}\n\n`], (response) => response.end()),
  'a cut behind the role': after(EVENTS.slice(0, 1), cut),
  'a cut': after(BEGUN, cut),
  'a reset': after(BEGUN, reset),
  'an early end': after(BEGUN, (response) => response.end()),
  'an error': after([...BEGUN, `data: ${ERROR}\n\n`], (response) => response.end()),
  'a stall': after(BEGUN, () => undefined),
  'an event that is none': after(
    [...BEGUN, 'data: {"choices":[\n\n', ...EVENTS.slice(4), ...END],
    (response) => response.end(),
  ),
  'no end marker': after([...EVENTS, ...END.slice(0, -1)], (response) => response.end()),
};

function respond(body: string, response: ServerResponse): void {
  const isStream = body.includes('"stream":true');
  const faults = Object.keys(isStream ? STREAM_FAULTS : JSON_FAULTS);
  const fault = random() < share ? faults[Math.floor(random() * faults.length)] : undefined;
  const name = fault ?? (isStream ? 'stream' : 'json');
  seen[name] = (seen[name] ?? 0) + 1;
  const reply = fault === undefined ? RESPONSES[name] : (isStream ? STREAM_FAULTS : JSON_FAULTS)[fault];
  reply?.(response);
}

function take(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  request.on('end', () => {
    if (request.method === 'POST') respond(body, response);
    else json(200, JSON.stringify(request.url === '/seen' ? seen : { object: 'list', data: [] }))(response);
  });
}

const server = createServer({ keepAliveTimeout: 0 }, take).listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
