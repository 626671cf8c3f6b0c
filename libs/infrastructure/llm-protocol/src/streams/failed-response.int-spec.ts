import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { StreamGateway } from '../../fixture/stream-gateway.ts';
import { keptDialect } from '../dialects/kept.dialect.ts';
import { responsesDialect } from '../dialects/responses.dialect.ts';

const event = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const HEAD = { id: 'r1', model: 'm', created_at: 7, metadata: { of: 'caller' }, background: false };
const DELTA = event('response.output_text.delta', { sequence_number: 1, delta: 'Hi' });
const BEGUN = event('response.created', { sequence_number: 0, response: HEAD }) + DELTA;
const [CODE, MESSAGE] = ['insufficient_quota', 'You exceeded your current quota.'];
const FAILED = { ...HEAD, status: 'failed', error: { code: CODE, message: MESSAGE } };
const USAGE = { input_tokens: 9, output_tokens: 1 };

let gateway: StreamGateway;
afterEach(() => gateway.close());

async function read(
  script: (response: ServerResponse) => unknown,
  begun = BEGUN,
  dialect = responsesDialect,
) {
  gateway = await StreamGateway.start(script, { dialect, limits: { finishMs: 50, stallMs: 600_000 } });
  const { text, broken } = await gateway.read();
  expect(text.startsWith(begun)).toBe(true);
  const events = text
    .slice(begun.length)
    .split('\n\n')
    .slice(0, -1)
    .map((each) => each.split('\ndata: '))
    .map(([name, data]) => [name, JSON.parse(data ?? '') as JsonObject]);
  return { events, broken, outcome: await gateway.outcome };
}

describe('a response that breaks', () => {
  it.each([
    [
      'in its own event',
      event('response.failed', { sequence_number: 2, response: { ...FAILED, usage: USAGE } }),
      { ...FAILED, usage: USAGE },
    ],
    ['in an error', event('error', { sequence_number: 2, error: { code: CODE, message: MESSAGE } }), FAILED],
    [
      'in an error behind its own event, which does not say why',
      event('response.failed', { sequence_number: 2, response: { ...FAILED, error: null } }) +
        event('error', { sequence_number: 3, code: CODE, message: MESSAGE }),
      FAILED,
    ],
    [
      'in the event of an end',
      event('response.completed', { sequence_number: 2, response: { ...FAILED, usage: USAGE } }),
      { ...FAILED, usage: USAGE },
    ],
  ])('ends as one that has failed where its host says so: %s', async (_, said, failed) => {
    const { events, broken, outcome } = await read((response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(BEGUN + said),
    );
    expect(events).toMatchObject([
      ['event: error', { type: 'error', sequence_number: 2, error: { code: CODE, message: MESSAGE } }],
      ['event: response.failed', { type: 'response.failed', sequence_number: 3, response: failed }],
    ]);
    expect(broken).toBe(false);
    expect(outcome).toMatchObject({ kind: 'failed', fault: { reason: 'host_error' } });
  });

  it.each<[string, (response: ServerResponse) => unknown]>([
    ['ends', (response) => response.end()],
    ['ends with a marker', (response) => response.end('data: [DONE]\n\n')],
    ['breaks', (response) => response.destroy()],
    ['is silent', () => undefined],
  ])('is told once to have failed where its host does not say why, and %s', async (_, then) => {
    const said = event('response.failed', { sequence_number: 2, response: { ...FAILED, error: null } });
    const { events, broken } = await read((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(BEGUN + said, () => then(response));
    });
    const message = 'The response has failed, and its host did not say why.';
    expect(events).toMatchObject([
      ['event: error', { sequence_number: 2, error: { message } }],
      ['event: response.failed', { response: { ...FAILED, error: { code: 'stream_interrupted', message } } }],
    ]);
    expect(broken).toBe(false);
  });

  it('is not said to have failed where only its stream has: its host may go on with one in the background', async () => {
    const { events, broken } = await read((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(BEGUN, () => response.destroy());
    });
    expect(events).toMatchObject([['event: error', { error: { code: 'stream_interrupted' } }]]);
    expect(broken).toBe(true);
  });

  it.each([
    ['one in the background', BEGUN.replace('"background":false', '"background":true'), responsesDialect],
    ['one that is asked for again', DELTA, keptDialect],
  ])('takes no place in the row of a response that goes on: %s', async (_, begun, dialect) => {
    const script = (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(begun, () => response.destroy());
    };
    const { events, broken } = await read(script, begun, dialect);
    // The next event of the host is the second.
    expect(events).toMatchObject([['event: error', { sequence_number: 1 }]]);
    expect(broken).toBe(true);
  });
});
