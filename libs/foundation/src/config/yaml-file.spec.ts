import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readYamlFile } from './yaml-file.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'morgan-yaml-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('readYamlFile', () => {
  const read = async (text: string) => {
    const path = join(folder, 'morgan.yaml');
    await writeFile(path, text);
    return readYamlFile(path, 'the file');
  };

  it('reads a file', async () => {
    expect(await read('auth:\n  apiKeys: [a, b]\n')).toEqual({ auth: { apiKeys: ['a', 'b'] } });
  });

  it('takes over what stands at an anchor, as other readers do', async () => {
    const text = 'hosts:\n  - &one { name: a, weight: 2 }\n  - { <<: *one, name: b }\n';
    expect(await read(text)).toEqual({
      hosts: [
        { name: 'a', weight: 2 },
        { name: 'b', weight: 2 },
      ],
    });
  });

  it.each([
    ['auth:\n  apiKeys: ["sk-secret\n', 'line 3, column 1'],
    ['auth:\n  apiKeys: sk-secret: sk-secret\n', 'line 2, column 12'],
    ['auth:\n   a: sk-secret\n  b: sk-secret\n', 'line 3'],
    ['auth: {a: sk-secret, a: sk-secret}', 'line 1, column 22: duplicate key'],
    ['auth: @sk-secret', 'line 1'],
    ['auth: !sk-secret sk-secret', 'line 1, column 7: tag resolve failed'],
    ['sk-secret: "\\q sk-secret"', 'line 1, column 13: bad dq escape'],
    ['auth: *sk-secret', 'refers to an anchor'],
    ['auth: &sk-secret\n  sk-secret: *sk-secret', 'to one from within itself'],
    ['%sk-secret\n---\na: b', 'line 1'],
    ['a: b\n---\nsk-secret: c', 'line 2'],
  ])('names the place of a fault in %j, never the text', async (text, place) => {
    const fault = await read(text).catch((error: Error) => error.message);
    expect(fault).toContain(place);
    expect(fault).toContain('the file');
    expect(fault).not.toContain('secret');
  });

  it.each(['', ' \n\n'])(
    'refuses a file of nothing, as one is that is just being written: %j',
    async (text) => {
      await expect(read(text)).rejects.toThrow('the file is empty');
    },
  );

  it('says why a file cannot be read', () => {
    expect(() => readYamlFile(join(folder, 'nowhere.yaml'), 'the file')).toThrow(
      'the file cannot be read: ENOENT',
    );
  });
});
