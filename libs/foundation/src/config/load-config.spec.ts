import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { configurationTable } from './configuration-table.ts';
import { loadConfig } from './load-config.ts';
import { listSettings, setting } from './setting.ts';

const schema = z.strictObject({
  http: z
    .strictObject({
      port: setting(z.int().max(65_535).default(8080), { env: 'PORT', doc: 'The port.' }),
      host: setting(z.string().default('127.0.0.1'), { env: 'HOST', doc: 'The address.' }),
    })
    .prefault({}),
  flags: z
    .strictObject({
      truncate: setting(z.boolean().default(true), { env: 'TRUNCATE', doc: 'Cut or refuse.' }),
      keys: setting(z.array(z.string().min(3)).default([]), { env: 'KEYS', doc: 'Keys.', secret: true }),
      name: setting(z.string().optional(), { env: 'NAME', doc: 'A name.' }),
    })
    .prefault({}),
});

const faultsOf = (sources: Parameters<typeof loadConfig>[1]): readonly string[] => {
  try {
    loadConfig(schema, sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('loadConfig', () => {
  it('needs nothing', () => {
    expect(loadConfig(schema, { env: {} })).toEqual({
      http: { port: 8080, host: '127.0.0.1' },
      flags: { truncate: true, keys: [] },
    });
  });

  it('lets the environment win over the file, and the file over the defaults', () => {
    const config = loadConfig(schema, {
      env: { PORT: '9000', HOST: '' },
      file: { http: { port: 9100, host: '::1' }, flags: { truncate: false } },
    });
    expect(config.http).toEqual({ port: 9000, host: '::1' });
    expect(config.flags.truncate).toBe(false);
  });

  it.each([
    ['1', true],
    ['true', true],
    ['FALSE', false],
    ['0', false],
  ])('reads %s as the boolean %s', (text, value) => {
    expect(loadConfig(schema, { env: { TRUNCATE: text } }).flags.truncate).toBe(value);
  });

  it('splits lists at commas', () => {
    expect(loadConfig(schema, { env: { KEYS: 'abc, def,,' } }).flags.keys).toEqual(['abc', 'def']);
  });

  it('puts environment variables into any value of the file, whatever its type', () => {
    const config = loadConfig(schema, {
      env: { P: '9200', WHO: 'x' },
      file: { http: { port: '${P}' }, flags: { keys: ['key-${WHO}'], name: '${WHO}-${P}' } },
    });
    expect(config).toMatchObject({ http: { port: 9200 }, flags: { keys: ['key-x'], name: 'x-9200' } });
  });

  it('names every fault at once: path, reason and variable', () => {
    const faults = faultsOf({
      env: { PORT: 'eighty', TRUNCATE: 'maybe' },
      file: { http: { hots: 'typo' }, flags: { name: '${ABSENT}' }, extra: 1 },
    });
    expect(faults).toHaveLength(5);
    expect(faults.join('\n')).toMatch(/ABSENT is not set/);
    expect(faults.join('\n')).toMatch(/http\.port: .*number.*\(environment: PORT\)/);
    expect(faults.join('\n')).toMatch(/flags\.truncate: .*\(environment: TRUNCATE\)/);
    expect(faults).toContain('http.hots: no such key');
    expect(faults).toContain('extra: no such key');
  });

  it('never prints a secret', () => {
    const faults = faultsOf({ env: { KEYS: 'ab' } });
    expect(faults).toHaveLength(1);
    expect(faults.join()).not.toContain('ab,');
    expect(faults.join()).not.toMatch(/'ab'|"ab"/);
  });

  it("passes over other services' sections and nothing else", () => {
    expect(() =>
      loadConfig(schema, { env: {}, file: { other: { a: 1 } }, foreignSections: ['other'] }),
    ).not.toThrow();
    expect(faultsOf({ env: {}, file: { other: { a: 1 } } })).toEqual(['other: no such key']);
  });

  it.each([['a list'], ['text'], [7]])('refuses a file that is not a mapping: %s', (file) => {
    expect(faultsOf({ env: {}, file: [file] })[0]).toContain('mapping');
  });

  it('refuses a scalar where a section belongs', () => {
    expect(faultsOf({ env: { PORT: '1' }, file: { http: 'yes' } })[0]).toMatch(/^http: /);
  });
});

describe('the manual', () => {
  it('lists every setting with path, variable and default', () => {
    expect(listSettings(schema).map(({ path, env }) => [path, env])).toEqual([
      ['http.port', 'PORT'],
      ['http.host', 'HOST'],
      ['flags.truncate', 'TRUNCATE'],
      ['flags.keys', 'KEYS'],
      ['flags.name', 'NAME'],
    ]);
    expect(configurationTable(schema)).toContain('| `http.port` | `PORT` | `8080` | The port. |');
    expect(configurationTable(schema)).toContain('| `flags.name` | `NAME` | – | A name. |');
  });
});
