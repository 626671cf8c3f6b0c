import { expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { z } from 'zod';
import { authConfig } from './security.config.ts';

const load = (apiKeys: unknown) =>
  loadConfig(z.strictObject({ auth: authConfig }), {
    env: { KEYS: 'first-key,second-key' },
    file: { auth: { apiKeys } },
  }).auth.apiKeys;

it('keys of callers may be one text, and several are never taken for one that nobody has', () => {
  expect(load('${KEYS}')).toEqual(['first-key', 'second-key']);
  expect(() => load(['${KEYS}'])).toThrow('auth.apiKeys.0: has a comma in it');
});
