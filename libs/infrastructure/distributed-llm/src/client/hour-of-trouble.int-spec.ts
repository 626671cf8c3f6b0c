import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runSourceProgram } from '@morgan/testing';
import type { HourFigures } from '../../fixture/hour/simulate-hour.ts';

const PROGRAM = join(import.meta.dirname, '../../fixture/hour/hour-bench.ts');
const MINUTES = 8;
/** The longest that a circuit stays open, and the wait for a turn among ten that begins small. */
const MOST_UNUSED_MS = 30_000;
/** For so long callers wait for what they sent to a host that was slow or silent. */
const PATIENCE_MS = 30_000;

/** The client as it is, in simulated time, before ten hosts that go, break, slow down, fill up and fall silent. */
describe.each([1, 2])('trouble of all kinds, seed %d', (seed) => {
  it('costs hardly a caller whom somebody could serve, and no host that is well goes unused', async () => {
    const figures = JSON.parse(await runSourceProgram(PROGRAM, String(seed), String(MINUTES))) as HourFigures;
    expect(figures.calls).toBeGreaterThan(2_000);
    expect(figures.servedRate).toBeGreaterThan(0.995);
    // In this time is one in which nobody can be served: a router that knows how long it lasts would keep them waiting.
    expect(figures.possibleRate - figures.successRate).toBeLessThan(0.08);
    expect(figures.attemptsPerCall).toBeLessThan(1.5);
    expect(figures.longestUnusedMs).toBeLessThan(MOST_UNUSED_MS);
    expect(figures.longestAfterDelayMs).toBeLessThan(PATIENCE_MS + MOST_UNUSED_MS);
  });
});
