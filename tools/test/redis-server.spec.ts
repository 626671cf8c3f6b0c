import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideRedis } from './redis-server.ts';

describe('provideRedis', () => {
  const PATH = process.env['PATH'];
  let folder: string;

  const program = (name: string, ...lines: string[]) =>
    writeFile(join(folder, name), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  const calls = () => readFile(join(folder, 'calls'), 'utf8');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redis-server-'));
    process.env['PATH'] = folder;
    await program('sudo', 'shift; exec "$@"');
  });

  afterEach(async () => {
    process.env['PATH'] = PATH;
    await rm(folder, { recursive: true });
  });

  it.each([
    ['one that REDIS_URL names', { REDIS_URL: 'redis://there' }, []],
    ['redis-server on PATH', {}, ['redis-server']],
  ])('is content with %s', async (_, env, programs) => {
    for (const name of programs) await program(name);
    await expect(provideRedis(env)).resolves.toBeUndefined();
  });

  it('installs it, and fetches the package lists only when it must', async () => {
    await program(
      'apt-get',
      `echo "$1" >> ${folder}/calls`,
      `case "$1" in update) echo > ${folder}/lists;; install) [ -e ${folder}/lists ];; esac`,
    );
    await provideRedis({});
    expect(await calls()).toBe('--version\ninstall\nupdate\ninstall\n');
    await provideRedis({});
    expect(await calls()).toBe('--version\ninstall\nupdate\ninstall\n--version\ninstall\n');
  });

  it.each([
    ['there is no apt-get', []],
    ['apt-get fails', ['apt-get']],
  ])('says in one sentence what to do when %s', async (_, programs) => {
    for (const name of programs) await program(name, '[ "$1" = --version ]');
    await expect(provideRedis({})).rejects.toThrow(
      'there is no Redis: install redis-server, or set REDIS_URL to one that the tests may write to',
    );
  });
});
