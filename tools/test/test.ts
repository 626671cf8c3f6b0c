import { prepareBundledModel } from '../bundled-model/prepare.ts';
import { check, commandCheck, sum, type Tally } from './checks.ts';
import { runJest } from './jest-run.ts';
import { provideRedis } from './redis-server.ts';

/** Twice as many as a small machine has cores: much of what tests do is waiting for other processes. */
const WORKERS = 4;

/** One after the other, so that the tests beside them keep a core. Nx keeps the result for as long as no file changes. */
async function staticChecks(): Promise<Tally[]> {
  return [
    await commandCheck('lint', 'nx', 'run', 'tools:lint-all'),
    await commandCheck('formatting', 'nx', 'run', 'tools:formatting'),
    await commandCheck('types', 'nx', 'run', 'tools:types'),
  ];
}

async function tests(jestArgs: readonly string[]): Promise<Tally[]> {
  return [
    await check('bundled model', () => prepareBundledModel({ log: () => undefined })),
    await check('Redis', () => provideRedis(process.env)),
    await runJest(jestArgs),
  ];
}

async function main(jestArgs: readonly string[]): Promise<void> {
  const tallies = [
    // Before lint: where Nx has not yet left its project graph, the boundary rule passes everything.
    await commandCheck('build', 'nx', 'run-many', '-t', 'build'),
    ...(await Promise.all([staticChecks(), tests(jestArgs)])).flat(),
  ];
  const { passed, failed } = sum(tallies);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main([`--maxWorkers=${String(WORKERS)}`, ...process.argv.slice(2)]);
