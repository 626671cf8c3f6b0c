import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runSourceProgram } from '@morgan/testing';

const PROGRAM = join(import.meta.dirname, '../../fixture/young-space.ts');
const MIB = 1024 * 1024;

const sizesIn = async (how: string) => JSON.parse(await runSourceProgram(PROGRAM, how)) as number[];

it('the space of young objects grows as far as is of use, and again after it was made small', async () => {
  const [limited, free] = await Promise.all([sizesIn('limited'), sizesIn('free')]);
  expect(limited).toHaveLength(2);
  for (const bytes of limited) {
    expect(bytes).toBeGreaterThanOrEqual(16 * MIB);
    expect(bytes).toBeLessThanOrEqual(32 * MIB);
  }
  // Or there is nothing to limit.
  expect(Math.max(...free)).toBeGreaterThan(Math.max(...limited));
});
