import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { type Mutant, partMutants, rowMutants } from './mutants.ts';
import { ScratchTree } from './scratch-tree.ts';

const ROOT = join(import.meta.dirname, '../..');
const TABLE = 'libs/infrastructure/distributed-llm/src/evidence/evidence-table.ts';
const SPEC = 'libs/infrastructure/distributed-llm/src/evidence/evidence-rows.int-spec.ts';

const USAGE = `usage: npm run mutations -- [--parts] [--row NAME ...]
--parts changes each cell by itself as well`;

/**
 * Takes each row out of the evidence table, in a copy of the tree, and runs
 * the test of that row, which must go red. Exits 1 where a mutant survives.
 */
async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { parts: { type: 'boolean', default: false }, row: { type: 'string', multiple: true } },
  });
  const doc = await readFile(join(ROOT, 'docs/evidence.md'), 'utf8');
  const all = values.parts ? [...rowMutants(doc), ...partMutants(doc)] : rowMutants(doc);
  const mutants = values.row ? all.filter(({ row }) => values.row?.includes(row)) : all;
  if (mutants.length === 0) throw new UsageError(`no row is called ${values.row?.join(' or ')}`);
  await using tree = await ScratchTree.of(ROOT);
  // Where the tests fail by themselves a red one says nothing.
  if ((await tree.failures(SPEC, mutants)) > 0) throw new Error('the tests are red without any mutation');
  const survivors: Mutant[] = [];
  for (const mutant of mutants) {
    const failures = await tree.with(TABLE, mutant.statement, () => tree.failures(SPEC, [mutant]));
    if (failures === 0) survivors.push(mutant);
    console.log(`${failures > 0 ? 'red  ' : 'GREEN'}  ${mutant.row}: ${mutant.change}`);
  }
  console.log(`${mutants.length - survivors.length} of ${mutants.length} mutants turn a test red`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

await runTool(USAGE, main);
