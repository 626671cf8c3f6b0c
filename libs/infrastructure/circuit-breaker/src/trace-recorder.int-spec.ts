import { expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { readTrace, writeTrace } from '../fixture/recorded-trace.ts';
import { recordTrace } from '../fixture/trace-recorder.ts';

it('records what the callers of a real host see while it dies and comes back', async () => {
  // When it all began, when the host was gone, and when it was there again: on a busy machine that is later than planned.
  let begunAt: number | undefined;
  const sinceStart = () => performance.now() - (begunAt ?? Number.NaN);
  const dead = { fromMs: Infinity, toMs: Infinity };
  const back = { fromMs: Infinity };
  const trace = await recordTrace({
    name: 'killed, back after 1 s',
    trouble: [1, 2],
    /** A second and a half behind its return. */
    get lengthS() {
      return Math.min(60, back.fromMs / 1_000 + 1.5);
    },
    callsPerS: () => {
      begunAt ??= performance.now();
      return 40;
    },
    size: () => 0.1,
    events: [
      {
        atS: 1,
        act: async ({ front }) => {
          await front.kill();
          dead.fromMs = sinceStart();
          await delay(1_000);
          dead.toMs = sinceStart();
          await front.start();
          back.fromMs = sinceStart();
        },
      },
    ],
  });
  const outcomes = (fromMs: number, toMs: number) =>
    trace.calls
      .filter(({ arrivalMs }) => arrivalMs >= fromMs && arrivalMs < toMs)
      .map(({ failed }) => failed);
  expect(outcomes(0, 1_000)).toContain(false);
  // Arrivals are told in whole milliseconds.
  const whileDead = outcomes(dead.fromMs + 1, dead.toMs - 1);
  expect(whileDead.length).toBeGreaterThan(0);
  expect(whileDead).not.toContain(false);
  expect(outcomes(back.fromMs, Infinity)).toContain(false);

  const folder = await mkdtemp(join(tmpdir(), 'trace-'));
  try {
    const file = join(folder, 'death.txt');
    await writeFile(file, writeTrace(trace));
    expect(readTrace(pathToFileURL(file))).toEqual(trace);
  } finally {
    await rm(folder, { recursive: true });
  }
});
