import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const READMES = globSync('{apps,libs/infrastructure}/*/README.md', { cwd: ROOT });
/** Those of an engine or a service, which are manuals. */
const LONG = /distributed-llm|local-embeddings|embedding-service/;

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

describe('the README of each project', () => {
  it.each(READMES)('%s has one example, which says what comes of it', (readme) => {
    expect(read(readme).match(/^```ts$/gm) ?? []).toHaveLength(1);
    expect(read(readme)).toMatch(/^console\.log\(.*\); \/\/ |^assert/m);
  });

  it.each(READMES.filter((readme) => !LONG.test(readme)))('%s is short', (readme) => {
    expect(read(readme).trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('is known to this test', () => {
    expect(READMES.length).toBeGreaterThanOrEqual(14);
  });
});

describe('every header of Morgan', () => {
  const headersIn = (files: readonly string[]) =>
    new Set(files.flatMap((file) => read(file).match(/x-morgan-[a-z-]+/g) ?? []));

  it('is in the documentation', () => {
    const sources = globSync('{apps,libs}/**/src/**/*.ts', { cwd: ROOT }).filter(
      (file) => !/spec\.ts$/.test(file),
    );
    const documented = headersIn([...globSync('docs/*.md', { cwd: ROOT }), ...READMES]);
    const sent = [...headersIn(sources)];
    expect(sent.length).toBeGreaterThan(10);
    expect(sent.filter((header) => !documented.has(header))).toEqual([]);
  });
});

describe('every metric that a page names', () => {
  it('is one of docs/metrics.md', () => {
    const known = new Set(
      Array.from(read('docs/metrics.md').matchAll(/^\| `(morgan_\w+)`/gm), ([, name]) => name),
    );
    const pages = ['README.md', ...globSync('docs/*.md', { cwd: ROOT }), ...READMES];
    const unknown = pages.flatMap((page) => read(page).match(/\bmorgan_(?:\w*[a-z])\b(?![\w*])/g) ?? []);
    expect(known.size).toBeGreaterThan(50);
    expect([...new Set(unknown)].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('every setting that docs/migration.md gives for one of others', () => {
  it('is one of docs/configuration.md', () => {
    const manual = read('docs/configuration.md');
    const cells = Array.from(read('docs/migration.md').matchAll(/^\|.*\|(.*)\|$/gm), ([, cell = '']) => cell);
    const names = cells.flatMap((cell) => cell.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !manual.includes(`| \`${name}\` |`))).toEqual([]);
  });
});
