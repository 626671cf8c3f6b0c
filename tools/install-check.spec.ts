import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { isInstalled } = (await import(join(import.meta.dirname, 'install-check.mjs'))) as {
  isInstalled: (root: string) => Promise<boolean>;
};

const one = { version: '1.0.0' };
const lock = {
  '': { name: 'root' },
  'node_modules/one': one,
  'node_modules/for-arm': { ...one, optional: true },
};

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'install-check-'));
  await mkdir(join(root, 'node_modules'));
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: lock }));
});

afterAll(() => rm(root, { recursive: true }));

describe('isInstalled', () => {
  it('says no where nothing is installed', async () => {
    expect(await isInstalled(root)).toBe(false);
  });

  it.each([
    ['everything, but not what is for other platforms', { 'node_modules/one': one }, true],
    ['an older version', { 'node_modules/one': { version: '0.9.0' } }, false],
    [
      'another version of something optional',
      { 'node_modules/one': one, 'node_modules/for-arm': { version: '2.0.0' } },
      false,
    ],
    ['a package less', {}, false],
  ])('with %s: %j is %s', async (_, packages, expected) => {
    await writeFile(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages }));
    expect(await isInstalled(root)).toBe(expected);
  });
});
