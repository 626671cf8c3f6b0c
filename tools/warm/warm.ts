import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { warmFile, type WarmedSoFar } from './warm-file.ts';

const USAGE = 'usage: npm run warm -- FILE [--url http://127.0.0.1:8081] [--input-type search_document]';

/** Bad lines that are told of, of all that there are. */
const TOLD_LINES = 20;

const options = {
  url: { type: 'string', default: 'http://127.0.0.1:8081' },
  'input-type': { type: 'string' },
} as const;

function argumentsGiven() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(1);
  }
}

const { positionals, values } = argumentsGiven();
const [file] = positionals;
if (file === undefined || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
  // What a pipe has given cannot be read again where a call breaks off.
  console.error(file === undefined ? USAGE : `${file} is not a file. ${USAGE}`);
  process.exit(1);
}

const show = ({ texts, cached, computed, failed, share }: WarmedSoFar) =>
  `${(share * 100).toFixed(1)} %  ${texts} texts: ${computed} computed, ${cached} were there, ${failed} failed`;

const target = {
  url: values.url,
  apiKey: process.env['MORGAN_API_KEY'],
  fields: { input_type: values['input-type'] },
  onWait: (reason: string, waitMs: number) =>
    console.error(`\r${values.url}: ${reason}; trying again in ${(waitMs / 1000).toFixed(1)} s`),
};
let badLines = 0;
const tellBadLine = (fault: string) => {
  badLines += 1;
  if (badLines <= TOLD_LINES) console.error(`\r${file}: ${fault}`);
};
try {
  const sum = await warmFile(
    file,
    target,
    (progress) => process.stdout.write(`\r${show(progress)}`),
    tellBadLine,
  );
  console.log(`\r${show(sum)}`);
  if (badLines > 0) process.exitCode = 1;
} catch (error) {
  console.error(`\nNot all of ${file} is through: ${(error as Error).message}. Run it again to go on.`);
  process.exitCode = 1;
}
