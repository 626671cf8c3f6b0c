import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startService } from '@morgan/testing';
import { quantile } from '../bench/bench-row.ts';
import { residentBytes } from '../bench/resident-memory.ts';
import { type CallerOptions, EmbeddingCaller, LongTextAttacker } from './embedding-callers.ts';
import { PeakMemory } from './peak-memory.ts';
import { inMb } from './steadiness.ts';

/** Tokens that the bundled model takes. */
const LIMIT = 128;
const CALLERS: readonly Omit<CallerOptions, 'seed'>[] = [
  { name: 'one text a call, hurried', mostTexts: 1, longestPauseMs: 50 },
  { name: 'one text a call', mostTexts: 1, longestPauseMs: 300 },
  { name: 'up to 8 texts a call', mostTexts: 8, longestPauseMs: 500 },
  { name: 'up to 32 texts a call', mostTexts: 32, longestPauseMs: 2_000 },
];
/** Of the time, the part before the attacker comes. */
const QUIET_SHARE = 1 / 5;
const WINDOWS = 10;
/** Before and after: caches of the start settle, and processes that have grown are replaced. */
const REST_MS = 5_000;
const SETTLE_MS = 60_000;
const TOLERATED_GROWTH = 1.1;
const TOLERATED_P99 = 2;

/**
 * `npm run soak -- embeddings [--minutes 10 --ceiling-mb 1536 --seed N]`: embedding-service with the bundled model under
 * callers with texts of all lengths, and then an attacker with texts of megabytes among them.
 * @returns what does not hold.
 */
export async function embeddingSoak(args: readonly string[]): Promise<string[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      'ceiling-mb': { type: 'string', default: '1536' },
      seed: { type: 'string', default: '10' },
    },
  });
  const [minutes = NaN, ceilingMb = NaN, seed = NaN] = Object.values(values).map(Number);
  if (!(minutes > 0 && ceilingMb > 0 && seed >= 0)) throw new Error('every option is a number above 0');
  await using service = await startService({
    app: 'embedding-service',
    env: { EMBEDDING_MEMORY_LIMIT_MB: String(ceilingMb) },
  });
  const pid = service.process.pid as number;
  await delay(REST_MS);
  const startBytes = await residentBytes(pid);
  const callers = CALLERS.map(
    (options, at) => new EmbeddingCaller(service.url, { ...options, seed: seed + at }, LIMIT),
  );
  const attacker = new LongTextAttacker(service.url, seed);
  const peak = new PeakMemory(pid);
  const misses = await soak({ callers, attacker, durationMs: minutes * 60_000, peak });
  const peakBytes = await peak.stop();
  await Promise.all([...callers, attacker].map((caller) => caller.close()));
  console.log(`at most ${inMb(peakBytes)}; the attacker got ${JSON.stringify(attacker.statuses)}`);
  await delay(SETTLE_MS);
  const endBytes = await residentBytes(pid);
  console.log(`at the start ${inMb(startBytes)}, at the end ${inMb(endBytes)}`);
  const ceilingBytes = ceilingMb * 1024 * 1024;
  return [
    ...misses,
    ...(peakBytes > ceilingBytes ? [`it took ${inMb(peakBytes)} of ${inMb(ceilingBytes)}`] : []),
    ...(endBytes > startBytes * TOLERATED_GROWTH
      ? [`${SETTLE_MS / 1_000} s after the end it takes ${inMb(endBytes)}, and ${inMb(startBytes)} before`]
      : []),
  ];
}

interface Plan {
  readonly callers: readonly EmbeddingCaller[];
  readonly attacker: LongTextAttacker;
  readonly durationMs: number;
  readonly peak: PeakMemory;
}

/** @returns what does not hold of the answers. */
async function soak({ callers, attacker, durationMs, peak }: Plan): Promise<string[]> {
  const quietMs = durationMs * QUIET_SHARE;
  const until = AbortSignal.timeout(durationMs);
  const work = callers.map((caller) => caller.run(until));
  await delay(quietMs);
  const quiet = callers.map(takeP99);
  console.log(`quiet: ${describe(callers, quiet)}`);
  work.push(attacker.run(until));
  for (let window = 1; window <= WINDOWS; window += 1) {
    await delay((durationMs - quietMs) / WINDOWS);
    const now = callers.map(({ times }) => quantile(times, 0.99));
    console.log(`${window} of ${WINDOWS}, at most ${inMb(peak.bytes)}: ${describe(callers, now)}`);
  }
  await Promise.all(work);
  const slow = callers.flatMap((caller, at) => {
    const [before = NaN, attacked] = [quiet[at], takeP99(caller)];
    if (attacked <= before * TOLERATED_P99) return [];
    return [
      `p99 of '${caller.name}': ${attacked.toFixed(0)} ms beside the attacker, ${before.toFixed(0)} ms before`,
    ];
  });
  const wrong = [...callers, attacker].flatMap((caller) => caller.wrong);
  if (wrong.length > 0)
    slow.push(`${wrong.length} answers were wrong, such as: ${wrong.slice(0, 3).join('\n')}`);
  return slow;
}

function takeP99(caller: EmbeddingCaller): number {
  const { times } = caller;
  caller.times = [];
  return quantile(times, 0.99);
}

function describe(callers: readonly EmbeddingCaller[], p99s: readonly number[]): string {
  return callers.map(({ name }, at) => `${name}: p99 ${p99s[at]?.toFixed(0)} ms`).join('; ');
}
