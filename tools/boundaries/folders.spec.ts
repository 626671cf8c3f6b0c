import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const PROMISE = 'Each folder imports only from those below it in this list';
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const LIBRARIES = globSync('libs/infrastructure/*/README.md', { cwd: ROOT })
  .filter((readme) => read(readme).includes(PROMISE))
  .map(dirname);

describe.each(LIBRARIES)('%s', (library) => {
  const listed = Array.from(read(`${library}/README.md`).matchAll(/^\| \[`[^`]+`\]\(src\/([^)]+)\)/gm));
  const folders = listed.map(([, folder = '']) => folder);
  const sources = globSync('src/*/**/*.ts', { cwd: join(ROOT, library) }).filter(
    (file) => !/spec\.ts$/.test(file),
  );
  const folderOf = (file: string) => relative('src', dirname(file));

  it('lists each of its folders', () => {
    expect([...folders].sort()).toEqual([...new Set(sources.map(folderOf))].sort());
  });

  it('imports nothing of a folder above', () => {
    const upward = sources.flatMap((file) => {
      const imported = Array.from(read(join(library, file)).matchAll(/ from '(\.[^']+)';/g));
      return imported
        .map(([, path = '']) => normalize(join(dirname(file), path)))
        .filter((other) => folders.indexOf(folderOf(other)) < folders.indexOf(folderOf(file)))
        .filter((other) => folderOf(other) !== '')
        .map((other) => `${file}: ${other}`);
    });
    expect(upward).toEqual([]);
  });
});

it('two libraries list their folders so', () => {
  expect(LIBRARIES).toHaveLength(2);
});
