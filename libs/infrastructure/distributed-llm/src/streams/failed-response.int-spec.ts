import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { StreamGateway } from '../../fixture/stream-gateway.ts';
import { responsesDialect } from '../dialects/responses.dialect.ts';

const event = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const BEGUN =
  event('response.created', { sequence_number: 0, response: { id: 'r1', model: 'm' } }) +
  event('response.output_text.delta', { sequence_number: 1, delta: 'Hi' });
const [CODE, MESSAGE] = ['insufficient_quota', 'You exceeded your current quota.'];
const FAILED = { id: 'r1', model: 'm', status: 'failed', error: { code: CODE, message: MESSAGE } };

let gateway: StreamGateway;
afterEach(() => gateway.close());

async function read(script: (response: ServerResponse) => unknown) {
  gateway = await StreamGateway.start(script, { dialect: responsesDialect });
  const { text, broken } = await gateway.read();
  expect(text.startsWith(BEGUN)).toBe(true);
  const events = text
    .slice(BEGUN.length)
    .split('\n\n')
    .slice(0, -1)
    .map((each) => each.split('\ndata: '))
    .map(([name, data]) => [name, JSON.parse(data ?? '') as JsonObject]);
  return { events, broken, outcome: await gateway.outcome };
}

describe('a response that breaks', () => {
  it.each([
    ['in its own event', event('response.failed', { sequence_number: 2, response: FAILED })],
    ['in an error', event('error', { sequence_number: 2, error: { code: CODE, message: MESSAGE } })],
  ])('ends as one that has failed where its host says so: %s', async (_, said) => {
    const { events, broken, outcome } = await read((response) =>
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(BEGUN + said),
    );
    expect(events).toMatchObject([
      ['event: error', { type: 'error', sequence_number: 2, error: { code: CODE, message: MESSAGE } }],
      ['event: response.failed', { type: 'response.failed', sequence_number: 3, response: FAILED }],
    ]);
    expect(broken).toBe(false);
    expect(outcome).toMatchObject({ kind: 'failed', fault: { reason: 'host_error' } });
  });

  it('is not said to have failed where only its stream has: its host may go on with one in the background', async () => {
    const { events, broken } = await read((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(BEGUN, () => response.destroy());
    });
    expect(events).toMatchObject([['event: error', { error: { code: 'stream_interrupted' } }]]);
    expect(broken).toBe(true);
  });
});
