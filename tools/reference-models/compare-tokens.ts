/**
 * Compares the token ids of the native tokenizer with those that Python gave: see README.md.
 * Usage: `compare-tokens.ts FOLDERS FILE`, where FILE is written by tokens.py.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Tokenizer } from 'tokenizers';

const [folders, file] = process.argv.slice(2);
if (folders === undefined || file === undefined) throw new Error('usage: compare-tokens.ts FOLDERS FILE');

const loaded = new Map<string, Tokenizer>();
function tokenizerOf(name: string): Tokenizer {
  let tokenizer = loaded.get(name);
  if (!tokenizer) {
    const definition = JSON.parse(
      readFileSync(join(folders as string, name, 'tokenizer.json'), 'utf8'),
    ) as object;
    tokenizer = Tokenizer.fromString(JSON.stringify({ ...definition, truncation: null, padding: null }));
    loaded.set(name, tokenizer);
  }
  return tokenizer;
}

let compared = 0;
let different = 0;
for await (const line of createInterface({ input: createReadStream(file) })) {
  const { text, ids } = JSON.parse(line) as { text: string; ids: Record<string, number[]> };
  for (const [name, expected] of Object.entries(ids)) {
    const actual = (await tokenizerOf(name).encode(text)).getIds();
    compared += 1;
    if (JSON.stringify(actual) === JSON.stringify(expected)) continue;
    different += 1;
    if (different <= 10) console.log(name, JSON.stringify(text), actual, expected);
  }
}
console.log(`${compared} compared, ${different} different`);
if (different > 0) process.exitCode = 1;
