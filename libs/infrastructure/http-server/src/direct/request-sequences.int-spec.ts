import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { seededRandom, waitFor } from '@morgan/testing';
import { type Gate, openConnection, startGate } from '../../fixture/gate.ts';

/** A request, and what has to come back for it and for no other. */
interface Sent {
  readonly id: string;
  readonly bytes: string;
  readonly status: number;
  readonly says: string;
}

interface Answer {
  readonly id: string | undefined;
  readonly status: number;
  readonly says: string;
}

const random = seededRandom(11);
const below = (most: number) => Math.floor(random() * most);
const SEQUENCES = 80;

let gate: Gate;
/** Requests that Node's parser has read. */
let readByNode = 0;

beforeAll(async () => {
  gate = await startGate();
  gate.app.getHttpServer().on('request', () => (readByNode += 1));
});
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
});

const chunksOf = (body: string) => {
  const at = 1 + below(body.length - 1);
  const pieces = [body.slice(0, at), body.slice(at)].map(
    (each) => `${each.length.toString(16)}\r\n${each}\r\n`,
  );
  return `${pieces.join('')}0\r\n\r\n`;
};

/** Some are read directly, others by Node; some have the key, others a wrong one. */
function request(id: string): Sent {
  const kind = below(12);
  const isKnown = below(4) > 0;
  const head = (line: string) =>
    `${line} HTTP/1.1\r\nhost: x\r\nx-request-id: ${id}\r\nx-api-key: ${isKnown ? 'the-key' : 'no-key'}\r\n`;
  const body = JSON.stringify({ of: id, long: 'x'.repeat(below(4) === 0 ? below(40_000) : below(40)) });
  const sized = `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  const known = { id, status: 200, says: `"of":"${id}"` };
  const post = head(`POST /v1/plain/${id}`);
  if (kind === 0) return { id, bytes: `${head('OPTIONS /v1/plain/text')}\r\n`, status: 204, says: '' };
  if (kind === 1 && isKnown)
    return {
      ...known,
      bytes: `${post}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunksOf(body)}`,
    };
  if (kind === 2 && isKnown) return { ...known, bytes: `${post}expect: 100-continue\r\n${sized}\r\n${body}` };
  if (kind === 3) return { id, bytes: `${head('GET /livez')}\r\n`, status: 200, says: '"up":true' };
  // Its answer waits until all has been sent.
  if (kind < 7 && isKnown)
    return { id, bytes: `${head('GET /v1/plain/held')}\r\n`, status: 200, says: '"done"' };
  if (isKnown) return { ...known, bytes: `${post}${sized}\r\n${body}` };
  return { id, bytes: `${post}${sized}\r\n${body}`, status: 401, says: 'invalid_api_key' };
}

/** @returns the whole answers at the beginning of what came. */
function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; ;) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    const head = text.slice(at, headEnd);
    const end = headEnd + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (headEnd < 0 || end > text.length) return answers;
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const id = /^x-request-id: (.*)$/im.exec(head)?.[1]?.trim();
    if (status !== 100) answers.push({ id, status, says: text.slice(headEnd + 4, end) });
    at = end;
  }
}

/** Where a text is cut into pieces: between requests as a rule, and anywhere. */
function cutsOf(requests: readonly Sent[]): number[] {
  let length = 0;
  const ends = requests.map(({ bytes }) => (length += bytes.length));
  const anywhere = Array.from({ length: below(4) }, () => below(length));
  return [...ends.filter((end) => end === length || below(3) > 0), ...anywhere].sort(
    (one, other) => one - other,
  );
}

/** Sends requests one behind the other. */
async function send(requests: readonly Sent[]): Promise<Answer[]> {
  const bytes = requests.map((each) => each.bytes).join('');
  const socket = await openConnection(gate.port);
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  let from = 0;
  for (const to of cutsOf(requests)) {
    socket.write(bytes.slice(from, to));
    from = to;
    for (let turns = below(3); turns > 0; turns -= 1) await new Promise(setImmediate);
  }
  const areAllHere = () => {
    gate.load.release();
    return answersIn(text).length >= requests.length;
  };
  await waitFor(areAllHere, { what: 'all answers', timeoutMs: 10_000 });
  socket.destroy();
  return answersIn(text);
}

it('of requests in a row each gets its own answer, whoever reads them and wherever they are cut', async () => {
  let sent = 0;
  for (let sequence = 0; sequence < SEQUENCES; sequence += 1) {
    const requests = Array.from({ length: 1 + below(5) }, () => request(`r${(sent += 1)}`));
    const answers = await send(requests);
    expect(answers.map(({ id, status }) => [id, status])).toEqual(
      requests.map(({ id, status }) => [id, status]),
    );
    for (const [which, { says }] of requests.entries()) expect(answers[which]?.says).toContain(says);
  }
  // Both kinds are among them.
  expect(readByNode).toBeGreaterThan(0);
  expect(readByNode).toBeLessThan(sent);
});
