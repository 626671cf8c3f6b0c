import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { ALL_CASES } from './cases/all-cases.ts';
import { faultsPage } from './faults-page.ts';
import { runCases } from './run-cases.ts';
import { inWords } from './table.ts';

const DEFAULT_SEED = 8;

const USAGE = `usage: npm run faults -- [--seed ${DEFAULT_SEED}] [--case PART_OF_A_NAME ...] [--write]
--write makes docs/faults.md of the results`;

/** Exits 1 where a case does not hold. */
async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: String(DEFAULT_SEED) },
      case: { type: 'string', multiple: true },
      write: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`--seed ${values.seed} is not a whole number`);
  const cases = values.case
    ? ALL_CASES.filter(({ name }) => values.case?.some((part) => name.includes(part)))
    : ALL_CASES;
  if (cases.length === 0) throw new UsageError(`no case has ${values.case?.join(' or ')} in its name`);
  const startedAt = performance.now();
  const { results, playedAgain } = await runCases(cases, seed);
  console.table(
    results.map(({ name, callers, backMs, misses }) => ({
      case: name,
      'callers saw': callers,
      back: backMs === undefined ? '' : inWords(backMs),
      holds: misses.length === 0,
    })),
  );
  const missed = results.filter(({ misses }) => misses.length > 0);
  for (const { name, hosts, misses } of missed)
    console.log([`${name}: ${hosts}`, ...misses.slice(0, 6).map((miss) => `  - ${miss}`)].join('\n'));
  const took = inWords(performance.now() - startedAt);
  console.log(`${results.length - missed.length} of ${results.length} cases hold, seed ${seed}, ${took}`);
  if (playedAgain > 0) console.log(`${playedAgain} were played again, as the machine had stood still`);
  if (values.write)
    writeFileSync(join(import.meta.dirname, '../../docs/faults.md'), faultsPage(results, seed));
  process.exitCode = missed.length === 0 ? 0 : 1;
}

await runTool(USAGE, main);
