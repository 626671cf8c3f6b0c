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

  it('takes a section of which everything is commented out, and refuses a setting without a value', () => {
    expect(loadConfig(schema, { env: {}, file: { http: null } }).http.port).toBe(8080);
    expect(loadConfig(schema, { env: { PORT: '1' }, file: { http: null } }).http.port).toBe(1);
    expect(faultsOf({ env: {}, file: { flags: { keys: null, truncate: null } } })).toEqual([
      expect.stringMatching(/^flags\.truncate: is empty: leave it out/),
      expect.stringMatching(/^flags\.keys: is empty: leave it out/),
    ]);
  });

  it('refuses a scalar where a section belongs', () => {
    expect(faultsOf({ env: { PORT: '1' }, file: { http: 'yes' } })[0]).toMatch(/^http: /);
  });
});

describe('a value that was meant otherwise', () => {
  it.each([
    [' 9000\n', 9000],
    ['9000\r\n', 9000],
  ])('has no white space around it: %j', (text, port) => {
    expect(loadConfig(schema, { env: { PORT: text, NAME: text } })).toMatchObject({
      http: { port },
      flags: { name: '9000' },
    });
  });

  it('has no white space around it where the file names it either', () => {
    const file = { http: { host: 'the-${H}:${P}' }, flags: { name: '${H}' } };
    const { http, flags } = loadConfig(schema, { env: { H: 'host\n', P: ' 1\r\n' }, file });
    expect([http.host, flags.name]).toEqual(['the-host:1', 'host']);
  });

  it('is a list by lines as well', () => {
    const { flags } = loadConfig(schema, { env: { KEYS: 'abc\ndef,\nghi\n' } });
    expect(flags.keys).toEqual(['abc', 'def', 'ghi']);
  });

  it.each<[string, Parameters<typeof loadConfig>[1], string]>([
    ['in quotes', { env: { NAME: '"secret"' } }, 'flags.name: has quotes around it'],
    ['in single ones', { env: { KEYS: "'secret'" } }, 'flags.keys: has quotes around it'],
    ['in brackets', { env: { KEYS: '["secret","secret"]' } }, 'flags.keys: has brackets around it'],
    ['commas alone', { env: { KEYS: ' , ' } }, 'flags.keys: lists nothing (environment: KEYS)'],
    ['a line end alone', { env: { KEYS: '\n' } }, 'flags.keys: lists nothing (environment: KEYS)'],
    ['an empty text', { env: {}, file: { flags: { keys: '' } } }, 'flags.keys: lists nothing'],
    [
      'an empty variable',
      { env: { K: '' }, file: { flags: { keys: '${K}' } } },
      'flags.keys: lists nothing (environment: KEYS, not set)',
    ],
    ['a default', { env: {}, file: { flags: { name: '${K:-secret}' } } }, 'a `${` that is no reference'],
    ['an expression', { env: {}, file: { flags: { name: '${{ secret }}' } } }, 'is no reference'],
    ['no end', { env: {}, file: { flags: { name: '${secret' } } }, 'a `${` that is no reference'],
    ['an open reference', { env: { NAME: 'x-${secret}' } }, 'flags.name: has a reference such as'],
    ['one of Kubernetes', { env: { KEYS: '$(secret),abc' } }, 'flags.keys: has a reference such as'],
    [
      'one in what a variable says',
      { env: { K: '${secret}' }, file: { flags: { name: '${K}' } } },
      'flags.name: has a reference such as',
    ],
  ])('is refused, and not shown: %s', (_, sources, fault) => {
    const faults = faultsOf(sources);
    expect(faults).toEqual([expect.stringContaining(fault)]);
    expect(faults.join()).not.toContain('secret');
  });
});

describe('a variable that is nearly that of a setting', () => {
  const own = z.strictObject({
    keys: setting(z.array(z.string()).default([]), { env: 'API_KEYS', doc: 'Keys.' }),
    hostKey: setting(z.string().optional(), { doc: 'The key of a host.' }),
  });
  const faults = (sources: Parameters<typeof loadConfig>[1]): readonly string[] => {
    try {
      loadConfig(own, sources);
    } catch (error) {
      return (error as ConfigError).faults;
    }
    return [];
  };

  it('is refused by both names, as it would do nothing in silence', () => {
    expect(faults({ env: { API_KEY: 'abc', HOME: '/root' } })).toEqual([
      'API_KEY: no such setting; API_KEYS is one, and is not set',
    ]);
    expect(faults({ env: { MORGAN_CONFIGS: 'x' }, otherVariables: ['MORGAN_CONFIG'] })).toEqual([
      'MORGAN_CONFIGS: no such setting; MORGAN_CONFIG is one, and is not set',
    ]);
  });

  it.each<[string, Parameters<typeof loadConfig>[1]]>([
    ['the setting is made', { env: { API_KEY: 'abc', API_KEYS: 'def' } }],
    ['the file makes it', { env: { API_KEY: 'abc' }, file: { keys: ['def'] } }],
    ['the file uses it elsewhere', { env: { API_KEY: 'abc' }, file: { hostKey: '${API_KEY}' } }],
    ['it is empty', { env: { API_KEY: '' } }],
    ['somebody else reads it', { env: { API_KEY: 'abc' }, otherVariables: ['API_KEY'] }],
  ])('is no fault where %s', (_, sources) => {
    expect(faults(sources)).toEqual([]);
  });
});

describe('a setting that does nothing without another one', () => {
  const pair = z.strictObject({
    store: z
      .strictObject({ url: setting(z.string().optional(), { env: 'URL', doc: 'Where.' }) })
      .prefault({}),
    cache: z
      .strictObject({
        size: setting(z.int().default(5), { env: 'SIZE', doc: 'How much.', needs: 'store.url' }),
      })
      .prefault({}),
  });
  const FAULT = 'cache.size: does nothing without `store.url` (URL)';

  it.each([
    [{ env: { SIZE: '6' } }, `${FAULT} (environment: SIZE)`],
    [{ env: {}, file: { cache: { size: 6 }, store: {} } }, `${FAULT} (environment: SIZE, not set)`],
  ])('is refused alone: %j', (sources, fault) => {
    expect(() => loadConfig(pair, sources)).toThrow(expect.objectContaining({ faults: [fault] }));
  });

  it.each([
    [{ env: { SIZE: '6', URL: 'x' } }],
    [{ env: { SIZE: '6' }, file: { store: { url: 'x' } } }],
    [{ env: { SIZE: '5' } }],
    [{ env: {}, file: { cache: { size: null } } }],
  ])('is none with it, and where it says what its default says: %j', (sources) => {
    let faults: readonly string[] = [];
    try {
      loadConfig(pair, sources);
    } catch (error) {
      ({ faults } = error as ConfigError);
    }
    expect(faults.join()).not.toContain('does nothing');
  });

  it('says so in the manual', () => {
    expect(configurationTable(pair)).toContain('| How much. Refused without `store.url`. |');
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
