import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { json } from 'node:stream/consumers';
import { LocalServer } from '@morgan/testing';
import { EmbeddingCaller, LongTextAttacker } from './embedding-callers.ts';

const CALLS = 20;
const inputs: string[][] = [];
let until = new AbortController();
let answer: (input: readonly string[]) => { status: number; vectors: number };
const server = new LocalServer(async (request, response) => {
  const { input } = (await json(request)) as { input: string[] };
  if (inputs.push(input) === CALLS) until.abort();
  const { status, vectors } = answer(input);
  response.writeHead(status).end(JSON.stringify({ data: new Array(vectors).fill({}) }));
});

beforeAll(() => server.listen());
afterEach(() => {
  inputs.length = 0;
  until = new AbortController();
});
afterAll(() => server.close());

describe('a caller of the embedding soak', () => {
  const caller = () =>
    new EmbeddingCaller(server.origin, { name: 'one', seed: 1, mostTexts: 4, longestPauseMs: 1 }, 16);

  it('sends up to so many texts of up to so many words, and takes the time of each call', async () => {
    answer = ({ length }) => ({ status: 200, vectors: length });
    const one = caller();
    await one.run(until.signal);
    await one.close();
    expect([one.wrong, one.times.length]).toEqual([[], CALLS]);
    expect([...new Set(inputs.map(({ length }) => length))].sort()).toEqual([1, 2, 3, 4]);
    const words = inputs.flat().map((text) => text.split(' ').length);
    expect([Math.min(...words), Math.max(...words)]).toEqual([1, 16]);
  });

  it('keeps answers that are wrong', async () => {
    answer = ({ length }) => (length === 1 ? { status: 429, vectors: 0 } : { status: 200, vectors: 1 });
    const one = caller();
    await one.run(until.signal);
    await one.close();
    expect(one.wrong).toHaveLength(CALLS);
  });
});

it('the attacker never sends a text twice, and takes a refusal but no failure', async () => {
  answer = () => ({ status: inputs.length % 2 ? 422 : 500, vectors: 0 });
  const attacker = new LongTextAttacker(server.origin, 2);
  await attacker.run(until.signal);
  await attacker.close();
  expect(new Set(inputs.flat()).size).toBe(CALLS);
  expect(inputs.flat().every(({ length }) => length >= 250_000)).toBe(true);
  expect(attacker.statuses).toEqual({ 422: CALLS / 2, 500: CALLS / 2 });
  expect(attacker.wrong).toHaveLength(CALLS / 2);
});
