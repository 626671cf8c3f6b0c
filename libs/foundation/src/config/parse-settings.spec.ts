import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { parseSettings } from './parse-settings.ts';
import { setting } from './setting.ts';

const schema = z
  .strictObject({
    retries: setting(z.int().min(0).max(9).default(3), { doc: 'd' }),
    mode: setting(z.enum(['fast', 'slow']).default('fast'), { doc: 'd' }),
    hosts: setting(z.array(z.strictObject({ key: z.string() })).default([]), { doc: 'd', secret: true }),
  })
  .refine(({ retries, mode }) => mode === 'fast' || retries < 5, { error: 'slow ones have fewer retries' })
  .prefault({});

const faultsOf = (settings: unknown) => {
  try {
    parseSettings(schema, settings);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).faults;
  }
};

describe('parseSettings', () => {
  it('fills the defaults in', () => {
    expect(parseSettings(schema, undefined)).toEqual({ retries: 3, mode: 'fast', hosts: [] });
    expect(parseSettings(schema, { retries: 1 })).toMatchObject({ retries: 1 });
  });

  it('names every setting that is wrong, in words', () => {
    expect(faultsOf({ retries: 10, mode: 'quick', tries: 1 })).toEqual([
      'retries: must be at most 9',
      'mode: must be one of `fast`, `slow`',
      'tries: no such key',
    ]);
    expect(faultsOf({ retries: '1' })).toEqual(['retries: must be a number, in digits without a unit']);
    expect(faultsOf({ retries: 7, mode: 'slow' })).toEqual(['configuration: slow ones have fewer retries']);
    expect(faultsOf(5)).toEqual(['configuration: must be a mapping: keys, each with a value']);
  });

  it('shows no value, and no name that may be part of a secret', () => {
    const faults = faultsOf({ hosts: [{ key: 5_551_234, 'sk-12345': 1 }] }).join();
    expect(faults).toMatch(/hosts\.0\.key: must be a text.*hosts\.0: holds a key that does not exist/);
    expect(faults).not.toMatch(/5551234|sk-/);
  });
});
