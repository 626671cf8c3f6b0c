import { prepareBundledModel } from '../bundled-model/prepare.ts';
import { runTool } from '../command-line/run-tool.ts';
import { check, commandCheck, sum, type Tally } from './checks.ts';
import { runJest } from './jest-run.ts';
import { provideRedis } from './redis-server.ts';

/** More than a small machine has cores: much of what tests do is waiting for other processes. */
const WORKERS = 5;

/** One after the other, so that the tests beside them keep a core. Nx keeps the results for as long as no file changes. */
function staticChecks(): Promise<Tally> {
  const targets = ['-p', 'tools', '-t', 'lint-all,formatting,types', '--parallel=1', '--nxBail=false'];
  return commandCheck('lint, formatting and types', 'nx', 'run-many', ...targets, '--output-style=stream');
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

await runTool('usage: npm test -- [options of Jest, such as a path or -t "a part of a name"]', (args) =>
  main([`--maxWorkers=${String(WORKERS)}`, ...args]),
);
