import { prepareBundledModel } from '../bundled-model/prepare.ts';
import { check, commandCheck, sum, type Tally } from './checks.ts';
import { runJest } from './jest-run.ts';
import { provideRedis } from './redis-server.ts';

/** Lint takes as long as the other two together, and most machines have two cores. */
async function staticChecks(): Promise<Tally[]> {
  const lint = commandCheck('lint', 'eslint', '--max-warnings', '0', '.');
  const format = await commandCheck('formatting', 'prettier', '--check', '--log-level', 'warn', '.');
  const types = await commandCheck('types', 'tsc', '-p', 'tsconfig.json');
  return [await lint, format, types];
}

async function main(jestArgs: readonly string[]): Promise<void> {
  const tallies = [
    // Before lint: where Nx has not yet left its project graph, the boundary rule passes everything.
    await commandCheck('build', 'nx', 'run-many', '-t', 'build'),
    ...(await staticChecks()),
    await check('bundled model', () => prepareBundledModel({ log: () => undefined })),
    await check('Redis', () => provideRedis(process.env)),
    await runJest(jestArgs),
  ];
  const { passed, failed } = sum(tallies);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main(['--maxWorkers=2', ...process.argv.slice(2)]);
