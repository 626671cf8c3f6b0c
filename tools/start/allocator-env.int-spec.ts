import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { ALLOCATOR_ENV } from './allocator-env.ts';

/** Pieces of 64 kB, as bodies come in them, with something small behind each that stays; then the pieces go. */
const PROGRAM = `
  const small = () => Buffer.allocUnsafeSlow(1024).fill(1);
  const kept = [small()];
  gc();
  const before = process.memoryUsage.rss();
  let pieces = Array.from({ length: 2_000 }, () => {
    kept.push(small());
    return Buffer.allocUnsafeSlow(65536).fill(1);
  });
  const most = process.memoryUsage.rss() - before;
  pieces = undefined;
  const until = performance.now() + 10_000;
  const look = () => {
    gc();
    const left = process.memoryUsage.rss() - before;
    if (left > most / 3 && performance.now() < until) setTimeout(look, 20);
    else console.log(JSON.stringify({ most, left, kept: kept.length }));
  };
  look();
`;

it('memory of what comes in pieces goes back, whatever was allocated between them', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '-e', PROGRAM], {
    env: { PATH: process.env['PATH'], ...ALLOCATOR_ENV },
  });
  const { most, left } = JSON.parse(stdout) as { most: number; left: number };
  expect(most).toBeGreaterThan(2_000 * 65_536);
  expect(left).toBeLessThan(most / 3);
});
