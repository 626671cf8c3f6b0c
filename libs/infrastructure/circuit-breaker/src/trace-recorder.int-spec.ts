import { expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readTrace, writeTrace } from '../fixture/recorded-trace.ts';
import { recordTrace } from '../fixture/trace-recorder.ts';

it('records what the callers of a real host see while it dies and comes back', async () => {
  const trace = await recordTrace({
    name: 'killed, back after 1 s',
    trouble: [1, 2],
    lengthS: 5,
    callsPerS: () => 40,
    size: () => 0.1,
    events: [
      { atS: 1, act: async ({ front }) => front.kill() },
      { atS: 2, act: async ({ front }) => front.start() },
    ],
  });
  const outcomes = (fromMs: number, toMs: number) =>
    trace.calls
      .filter(({ arrivalMs }) => arrivalMs >= fromMs && arrivalMs < toMs)
      .map(({ failed }) => failed);
  expect(outcomes(0, 800)).toContain(false);
  expect(outcomes(1_200, 1_900)).not.toContain(false);
  expect(outcomes(3_500, 5_000)).toContain(false);

  const folder = await mkdtemp(join(tmpdir(), 'trace-'));
  try {
    const file = join(folder, 'death.txt');
    await writeFile(file, writeTrace(trace));
    expect(readTrace(pathToFileURL(file))).toEqual(trace);
  } finally {
    await rm(folder, { recursive: true });
  }
});
