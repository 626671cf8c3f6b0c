import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, it } from '@jest/globals';
import { turnsDuring } from '@morgan/testing';
import { BodyStream } from './body-stream.ts';

const CHUNK = Buffer.alloc(64 * 1024, 'x');
const pace = { minBytesPerSecond: 0, rateWindowMs: 1, isPaused: () => false, tooSlow: () => undefined };

/** A body that is all here already, in the pieces in which a socket hands it over. */
function bodyOf(pieces: readonly Buffer[]): BodyStream {
  const source = Readable.from(pieces);
  const options = { encoding: 'identity', declared: undefined, limitBytes: Infinity, pace } as const;
  return new BodyStream(source as unknown as IncomingMessage, options);
}

const long = () => bodyOf(Array.from({ length: 64 }, () => CHUNK));

it.each([1, 5])(
  'everybody else has a turn, many times, while bodies of 4 MiB go through: %d of them',
  async (count) => {
    let bytes = 0;
    let isShortOver = false;
    const turns = await turnsDuring(() => {
      const all = Array.from({ length: count }, async () => {
        const { length } = await buffer(long());
        bytes += length;
        expect(isShortOver).toBe(true);
      });
      const short = buffer(bodyOf([Buffer.from('short')])).then(() => (isShortOver = true));
      return Promise.all([...all, short]);
    });
    expect(bytes).toBe(count * 64 * CHUNK.length);
    // Each has a quarter of it.
    expect(turns).toBeGreaterThanOrEqual(count * 14);
  },
);

it('goes no further when it is given up while it waits for its turn', async () => {
  const [one, other] = [long(), long()];
  other.once('data', () => other.destroy());
  expect((await buffer(one)).length).toBe(64 * CHUNK.length);
  expect([other.destroyed, other.errored]).toEqual([true, null]);
});
