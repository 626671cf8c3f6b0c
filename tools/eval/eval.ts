import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { evaluate } from './evaluate.ts';
import { startOwnService } from './own-service.ts';
import { readScoredPairs } from './scored-pairs.ts';

const USAGE =
  'usage: npm run eval -- FILE.csv [--url http://127.0.0.1:8081] [--model NAME] [--input-type NAME]';

async function main(args: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      url: { type: 'string' },
      model: { type: 'string', default: 'default' },
      'input-type': { type: 'string' },
    },
  });
  const [file] = positionals;
  if (file === undefined) throw new UsageError('no file is named');
  const pairs = readScoredPairs(await readFile(file, 'utf8'));
  using own = values.url === undefined ? await startOwnService(process.env) : undefined;
  const {
    pearson,
    spearman,
    model,
    pairs: count,
  } = await evaluate(pairs, {
    url: values.url ?? own?.origin ?? '',
    apiKey: process.env['MORGAN_API_KEY'],
    fields: { model: values.model, input_type: values['input-type'] },
  });
  const figures = `Pearson ${pearson.toFixed(4)}, Spearman ${spearman.toFixed(4)}`;
  console.log(`${model}, ${count} pairs: ${figures}`);
}

await runTool(USAGE, main);
