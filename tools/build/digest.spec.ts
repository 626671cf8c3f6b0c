import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from './digest.ts';

let folder: string;
const write = (file: string, text: string) => writeFile(join(folder, file), text);
const digest = () => digestOf(['src/**/*.ts', 'lock.json'], folder);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-digest-'));
  await mkdir(join(folder, 'src/deep'), { recursive: true });
  await Promise.all([write('src/a.ts', '1'), write('src/deep/b.ts', '2'), write('lock.json', '{}')]);
});
afterEach(() => rm(folder, { recursive: true }));

describe('digestOf', () => {
  it('is the same for the same files, whatever lies beside them', async () => {
    const before = await digest();
    await Promise.all([write('src/a.ts', '1'), write('src/notes.md', 'beside'), write('other.json', '{}')]);
    expect(await digest()).toBe(before);
  });

  it.each([
    ['a changed file', () => write('src/deep/b.ts', '3')],
    ['a changed file outside any folder', () => write('lock.json', '[]')],
    ['a new file', () => write('src/deep/c.ts', '')],
    ['a file that is gone', () => rm(join(folder, 'src/a.ts'))],
    ['a renamed file', () => rename(join(folder, 'src/a.ts'), join(folder, 'src/z.ts'))],
  ])('is another one for %s', async (_, change) => {
    const before = await digest();
    await change();
    expect(await digest()).not.toBe(before);
  });
});
