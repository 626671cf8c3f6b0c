import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The generated part of a documentation file, between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. A test compares it
 * with what the code says; `npm run docs:update` runs the same tests with UPDATE_DOCS=1, and then it is rewritten.
 */
export function docRegion(file: string, name: string, expected: string): string {
  const path = join(ROOT, file);
  const text = readFileSync(path, 'utf8');
  const begin = `<!-- ${name}:begin -->\n`;
  const end = `\n<!-- ${name}:end -->`;
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  if (from < begin.length || to < from) throw new Error(`${file} has no region ${name}`);
  if (process.env['UPDATE_DOCS'] !== '1') return text.slice(from, to);
  writeFileSync(path, text.slice(0, from) + expected + text.slice(to));
  return expected;
}
