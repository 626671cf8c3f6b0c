import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';
import { setting } from './setting.ts';
import { whereGood } from './where-good.ts';

const header = z.string().regex(/^[a-z]+$/, 'must be the name of a header');
const host = z.strictObject({
  name: z.string().min(1),
  limit: z.number().gt(0).optional(),
  tools: z.boolean().optional(),
  kind: z.enum(['random', 'round_robin']).optional(),
  headers: z.record(header, z.string()).optional(),
  probe: z
    .union([z.literal(false), z.strictObject({ path: z.string().optional(), ms: z.int().optional() })])
    .optional(),
});
const schema = z
  .strictObject({
    port: setting(z.int().min(0).max(65_535).default(80), { env: 'PORT', doc: 'The port.' }),
    truncate: setting(z.boolean().default(true), { env: 'TRUNCATE', doc: 'Cut or refuse.' }),
    keys: setting(z.array(z.string().min(8, 'too short').regex(/^\w+$/, 'letters only')).default([]), {
      env: 'KEYS',
      doc: 'Keys.',
      secret: true,
    }),
    hosts: setting(z.array(host).default([]), { env: 'HOSTS', doc: 'Hosts.', secret: true }),
  })
  .refine(({ hosts }) => hosts.length > 0, {
    ...whereGood('hosts'),
    path: ['hosts'],
    message: 'a host is needed',
  });

const one = { name: 'one' };
const load = (sources: Parameters<typeof loadConfig>[1]) => loadConfig(schema, sources);
const faultsOf = (file: object, env: Record<string, string> = {}): readonly string[] => {
  try {
    load({ env, file });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

describe('a fault of the configuration', () => {
  it('is told once: a reference to what is not set has no second one', () => {
    const file = {
      port: '${P}',
      truncate: '${T}',
      keys: ['${K}', 'k-${K}'],
      hosts: [{ ...one, tools: '${T}' }],
    };
    expect(faultsOf(file)).toEqual(
      ['P', 'T', 'K'].map((name) => `\${${name}} is used in the configuration file, but ${name} is not set`),
    );
    expect(faultsOf({ hosts: '${H}' })).toEqual(['${H} is used in the configuration file, but H is not set']);
    expect(faultsOf({ hosts: [one], keys: '${K:-abcdefgh}' })).toHaveLength(1);
  });

  it('is told once: a value in quotes is not missing as well', () => {
    expect(faultsOf({}, { HOSTS: '"one"' })).toEqual([
      expect.stringContaining('hosts: has quotes around it, which would be part of it'),
    ]);
  });

  it('does not keep those of checks of other settings for the next start', () => {
    expect(faultsOf({}, { PORT: 'eighty' })).toEqual([
      'port: must be a number, in digits without a unit (environment: PORT)',
      'hosts: a host is needed (environment: HOSTS, not set)',
    ]);
    expect(faultsOf({ hosts: [7], other: 1 })).toHaveLength(2);
  });

  it.each([
    [{ port: '10s' }, 'port: must be a number, in digits without a unit'],
    [{ port: '1_000' }, 'port: must be a number, in digits without a unit'],
    [{ port: 1.5 }, 'port: must be a whole number'],
    [{ truncate: 'yes' }, 'truncate: must be `true` or `false`'],
    [{ hosts: [{ ...one, probe: { path: 7 } }] }, 'hosts.0.probe.path: must be a text: put quotes around it'],
    [{ keys: [12345678] }, 'keys.0: must be a text: put quotes around it'],
    [{ hosts: [{}] }, 'hosts.0.name: is needed'],
    [
      { hosts: [{ ...one, probe: 'false' }] },
      'hosts.0.probe: must be `false`; or must be a mapping: keys, each with a value',
    ],
    [{ hosts: [{ ...one, headers: ['a'] }] }, 'hosts.0.headers: must be a mapping: keys, each with a value'],
    [{ hosts: [{ ...one, limit: true }] }, 'hosts.0.limit: must be a number'],
    [{ hosts: [{ ...one, name: ['a'] }] }, 'hosts.0.name: must be a text'],
    [{ hosts: [{ ...one, kind: 'round-robin' }] }, 'hosts.0.kind: must be one of `random`, `round_robin`'],
    [{ hosts: [{ ...one, kind: null }] }, 'hosts.0.kind: is empty: leave it out, or give it a value'],
    [{ port: 70_000 }, 'port: must be at most 65535'],
    [{ port: -1 }, 'port: must be at least 0'],
    [{ hosts: [{ ...one, limit: 0 }] }, 'hosts.0.limit: must be above 0'],
    [{ hosts: [{ ...one, name: '' }] }, 'hosts.0.name: must not be empty'],
    [{ truncate: {} }, 'truncate: must be `true` or `false`'],
    [{ port: [80] }, 'port: must be a number'],
    [{ hosts: [{ ...one, headers: { 'A b': 'c' } }] }, 'hosts.0.headers.A b: must be the name of a header'],
    [{ hosts: [{ ...one, lmit: 5 }] }, 'hosts.0.lmit: no such key'],
    [{ hosts: [{ ...one, probe: { msec: 5 } }] }, 'hosts.0.probe.msec: no such key'],
    [{ hosts: { one: {} } }, 'hosts: must be a list'],
    [{ hosts: [7] }, 'hosts.0: must be a mapping: keys, each with a value'],
  ])('says where it is and what would be right: %j', (file, fault) => {
    expect(faultsOf({ hosts: [one], ...file })).toEqual([expect.stringContaining(fault)]);
  });
});

it('does not show a key that stands behind a stray separator in a secret', () => {
  const hidden = 'hosts.0: holds a key that does not exist (number 2 of its keys); its name may be part';
  // As YAML reads `{ name: one, secret }`.
  expect(faultsOf({ hosts: [{ ...one, secret: null }] })).toEqual([expect.stringContaining(hidden)]);
  expect(faultsOf({ hosts: [{ ...one, sk_123: 'one' }] })).toEqual([expect.stringContaining(hidden)]);
});

describe('a reference within a list', () => {
  it('stands for a number or a boolean where one belongs', () => {
    const file = { hosts: [{ ...one, limit: '${N}', tools: '${B}', probe: { ms: '${N}' } }] };
    expect(load({ env: { N: '5', B: 'true' }, file }).hosts).toEqual([
      { ...one, limit: 5, tools: true, probe: { ms: 5 } },
    ]);
    expect(faultsOf(file, { N: '5s', B: 'yes' })).toEqual([
      expect.stringContaining('hosts.0.limit: must be a number'),
      expect.stringContaining('hosts.0.tools: must be `true` or `false`'),
      expect.stringContaining('hosts.0.probe.ms: must be a number'),
    ]);
  });
});
