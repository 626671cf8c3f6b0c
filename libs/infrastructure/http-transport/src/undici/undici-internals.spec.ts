import { expect, it } from '@jest/globals';
import { kClients, undiciSymbol } from './undici-internals.ts';

it('a symbol that undici no longer has is an error when this library is loaded', () => {
  expect(typeof kClients).toBe('symbol');
  expect(() => undiciSymbol({ kClientList: Symbol('clients') }, 'kClients')).toThrow(/no symbol kClients/);
});
