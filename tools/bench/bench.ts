import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import type { BenchRow } from './bench-row.ts';

const SUITES: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  gateway: async () => (await import('./gateway.bench.ts')).gatewayBench(),
  embeddings: async () => (await import('./embeddings.bench.ts')).embeddingsBench(),
  resilience: async () => (await import('./resilience.bench.ts')).resilienceBench(),
  'rate-limiter': async () => (await import('./rate-limiter.bench.ts')).rateLimiterBench(),
  hour: async () => (await import('./hour.bench.ts')).hourBench(),
  routing: async () => (await import('./routing.bench.ts')).routingBench(),
  starts: async () => (await import('./starts.bench.ts')).startsBench(),
};

const USAGE = `usage: npm run bench -- [suite ...]
suites: ${Object.keys(SUITES).join(', ')}; all of them where none is named`;

/** Prints a table, writes the rows to `.bench/`, exits 1 when a target is missed. */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !Object.hasOwn(SUITES, name));
  if (unknown.length > 0) throw new UsageError(`no such suite: ${unknown.join(', ')}`);
  const rows: BenchRow[] = [];
  for (const [name, run] of Object.entries(SUITES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`measuring ${name} ...`);
    rows.push(...(await run()));
  }
  console.table(
    rows.map(({ name, value, unit, baseline, ratio, target }) => ({
      what: name,
      measured: `${format(value)} ${unit}`,
      against: `${format(baseline.value)} ${unit}, ${baseline.name}`,
      ratio: Number(ratio.toFixed(2)),
      target: target === undefined ? '' : `>= ${Number(target.toFixed(2))}`,
      met: target === undefined ? '' : ratio >= target,
    })),
  );
  const folder = join(import.meta.dirname, '../../.bench');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'rows.json'), `${JSON.stringify(rows, null, 2)}\n`);
  process.exitCode = rows.every(({ ratio, target = -Infinity }) => ratio >= target) ? 0 : 1;
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

await runTool(USAGE, main);
