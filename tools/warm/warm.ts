import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { warmFile, type WarmedSoFar } from './warm-file.ts';

const USAGE = 'usage: npm run warm -- FILE [--url http://127.0.0.1:8081] [--input-type search_document]';

/** Bad lines that are told of, of all that there are. */
const TOLD_LINES = 20;

const show = ({ texts, cached, computed, failed, share }: WarmedSoFar) =>
  `${(share * 100).toFixed(1)} %  ${texts} texts: ${computed} computed, ${cached} were there, ${failed} failed`;

/** On a terminal the line of progress is written over; a log gets one for each percent. */
const { isTTY } = process.stdout;
const over = isTTY ? '\r' : '';
/** The same of what is told beside it. */
const beside = isTTY && process.stderr.isTTY ? '\r' : '';
let shownPercent = 0;

function showProgress(progress: WarmedSoFar): void {
  if (isTTY) return void process.stdout.write(`\r${show(progress)}`);
  const percent = Math.floor(progress.share * 100);
  if (percent <= shownPercent || percent >= 100) return;
  shownPercent = percent;
  console.log(show(progress));
}

async function main(args: readonly string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8081' },
      'input-type': { type: 'string' },
    },
  });
  const [file] = positionals;
  if (file === undefined) throw new UsageError('no file is named');
  // What a pipe has given cannot be read again where a call breaks off.
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`${file} is not a file`);
  const target = {
    url: values.url,
    apiKey: process.env['MORGAN_API_KEY'],
    fields: { input_type: values['input-type'] },
    onWait: (reason: string, waitMs: number) =>
      console.error(`${beside}${values.url}: ${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
  };
  let badLines = 0;
  const tellBadLine = (fault: string) => {
    badLines += 1;
    if (badLines <= TOLD_LINES) console.error(`${beside}${file}: ${fault}`);
  };
  try {
    const sum = await warmFile(file, target, showProgress, tellBadLine);
    console.log(`${over}${show(sum)}`);
    if (badLines > 0) process.exitCode = 1;
  } catch (error) {
    throw new Error(
      `${beside && '\n'}Not all of ${file} is through: ${(error as Error).message}. Run it again to go on.`,
      {
        cause: error,
      },
    );
  }
}

await runTool(USAGE, main);
