import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../../../../..');
const PROMISED = /^- .*?(?=\n-|\n\n|\n#)/gms;
const NAMED = /\(_([\w-]+): (.+)_\)$/s;

const page = readFileSync(join(ROOT, 'docs/streaming.md'), 'utf8');
const promises = page.match(PROMISED) ?? [];
const specs = new Map(
  globSync('{apps,libs}/**/src/**/*spec.ts', {
    cwd: ROOT,
    exclude: (name) => name.includes('node_modules'),
  }).map((path) => [
    /([\w-]+)\.[\w-]*spec\.ts$/.exec(path)?.[1] ?? path,
    readFileSync(join(ROOT, path), 'utf8'),
  ]),
);

describe('docs/streaming.md', () => {
  it('promises something', () => {
    expect(promises.length).toBeGreaterThan(35);
  });

  it.each(promises.map((line) => [line]))('%s', (line) => {
    const [, file = '', name = ''] = NAMED.exec(line.replaceAll('\n', ' ').replaceAll(/ {2,}/g, ' ')) ?? [];
    const quoted = ["'", '"'].map((quote) => `${quote}${name}${quote}`);
    expect(quoted.some((text) => specs.get(file)?.includes(text))).toBe(true);
  });
});
