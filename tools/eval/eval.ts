import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Child, startChild } from '../bench/child.ts';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { evaluate } from './evaluate.ts';
import { readScoredPairs } from './scored-pairs.ts';

const USAGE =
  'usage: npm run eval -- FILE.csv [--url http://127.0.0.1:8081] [--model NAME] [--input-type NAME]';
const READY_WITHIN_MS = 600_000;

/** Resolves once a service that was started is ready to answer. @throws Error when it takes too long */
async function untilReady(url: string): Promise<void> {
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await delay(100)) {
    if ((await fetch(new URL('/readyz', url))).ok) return;
  }
  throw new Error('the service does not get ready');
}

/** A service of its own, of what was built, with the environment of this command. */
async function startService(): Promise<Child> {
  const child = await startChild(['dist/apps/embedding-service/main.js'], {
    ...process.env,
    PORT: '0',
    LOG_FORMAT: 'json',
  });
  await untilReady(child.origin);
  return child;
}

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
  using own = values.url === undefined ? await startService() : undefined;
  const {
    pearson,
    spearman,
    model,
    pairs: count,
  } = await evaluate(pairs, {
    url: values.url ?? (own as Child).origin,
    apiKey: process.env['MORGAN_API_KEY'],
    fields: { model: values.model, input_type: values['input-type'] },
  });
  const figures = `Pearson ${pearson.toFixed(4)}, Spearman ${spearman.toFixed(4)}`;
  console.log(`${model}, ${count} pairs: ${figures}`);
}

await runTool(USAGE, main);
