import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { collectGarbage } from '@morgan/foundation';
import { turnsDuring } from '@morgan/testing';
import { PARSED_JSON } from './body-format.ts';
import { BodyCharge } from '../admission/body-charge.ts';
import { BodyReader } from './body-reader.ts';
import { ReadingTurns } from './reading-turns.ts';
import { readWholeBody } from './whole-body.ts';

const CHUNK_BYTES = 64 * 1024;
const account = {
  grow: () => undefined,
  add: (_from: number, more: number) => more,
  shrink: () => undefined,
  release: () => undefined,
};
const pace = { minBytesPerSecond: 0, rateWindowMs: 1, isPaused: () => false, tooSlow: () => undefined };

/** Reads a body that is all there already, in the pieces in which a socket hands it over. */
function read(json: string, turns?: ReadingTurns): Promise<unknown> {
  const bytes = Buffer.from(json);
  const count = Math.ceil(bytes.length / CHUNK_BYTES);
  const pieces = Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );
  return readFrom(Readable.from(pieces), bytes.length, turns);
}

function readFrom(source: Readable, declared: number, turns?: ReadingTurns): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = { ...contentOf(declared, turns), encoding: 'identity' as const, pace };
    new BodyReader(source, options, (error, body) => (error ? reject(error) : resolve(body))).start();
  });
}

/** Reads a body that the connection has handed over as a whole. */
function readFull(json: string): Promise<unknown> {
  const bytes = Buffer.from(json);
  return new Promise((resolve, reject) => {
    const options = { ...contentOf(bytes.length), isGone: () => false };
    readWholeBody(bytes, options, (error, body) => (error ? reject(error) : resolve(body)));
  });
}

const contentOf = (declared: number, turns?: ReadingTurns) => ({
  format: { ...PARSED_JSON, ...(turns && { turns }) },
  charge: new BodyCharge(0, account),
  declared,
  windowBytes: 0,
  limitBytes: declared,
  json: { maxDepth: 8, maxValues: 4_000_000 },
});

it.each([
  ['a million numbers', `[${'12345678,'.repeat(1_000_000)}0]`],
  ['one long text', `"${'a text '.repeat(1_200_000)}"`],
])('everybody else has a turn, many times, while a body of %s is read', async (_, json) => {
  let body: unknown;
  const turns = await turnsDuring(async () => (body = await read(json)));
  expect(body).toHaveLength((JSON.parse(json) as { length: number }).length);
  // Every 256 kB of more than 8 MB.
  expect(turns).toBeGreaterThanOrEqual(30);
});

it.each([
  ['come in pieces', 200_000, (json: string) => read(json)],
  ['are here in full', 60_000, readFull],
])('and while many are that come together, each of them short: those that %s', async (_, length, readOne) => {
  const json = `"${'a'.repeat(length)}"`;
  const count = Math.ceil(8_000_000 / length);
  const done: unknown[] = [];
  const turns = await turnsDuring(async () => {
    const all = Array.from({ length: count }, () => readOne(json).then((body) => done.push(body)));
    await readOne('"short"').then((body) => done.push(body));
    // It waits for none of them.
    expect(done.length).toBeLessThan(count / 2);
    await Promise.all(all);
  });
  expect(done.filter((body) => body === 'a'.repeat(length))).toHaveLength(count);
  expect(turns).toBeGreaterThanOrEqual(25);
});

it('long bodies take turns, however many they are, and short ones need none', async () => {
  const turns = new ReadingTurns(20);
  const begunAt = performance.now();
  const tookMs = () => performance.now() - begunAt;
  const long = `"${'a'.repeat(1024 * 1024)}"`;
  const all = Promise.all([long, long, long].map((json) => read(json, turns).then(tookMs)));
  const short = await read('"short"', turns).then(tookMs);
  // Of each four pieces are full; the very first of the turns is at once.
  expect(Math.max(...(await all))).toBeGreaterThanOrEqual(11 * 20 - 1);
  expect(short).toBeLessThan(Math.min(...(await all)));
});

it('a body that was read is released, however long the connection is kept that still refers to its request', async () => {
  const chunks = 512;
  const source = Readable.from(
    (function* () {
      yield Buffer.from('"');
      for (let chunk = 0; chunk < chunks; chunk += 1) yield Buffer.alloc(CHUNK_BYTES, 'a');
      yield Buffer.from('"');
    })(),
  );
  await read('"warm"');
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  await readFrom(source, chunks * CHUNK_BYTES + 2);
  await turn();
  collectGarbage();
  expect([source.listenerCount('error'), source.listenerCount('close')]).toEqual([0, 0]);
  // It was 32 MiB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
});
