import { describe, expect, it } from '@jest/globals';
import { ResponseOwners } from './response-owners.ts';

const IN_PATH = { hosts: ['one', 'two'], param: 'response_id' };
const ALONE = { ...IN_PATH, hosts: ['one'] };
const owner = (host: string, caller = '') => ({ host, caller });

describe('who keeps a response', () => {
  it('is known of the latest 50,000, and the answer says so of others', () => {
    const owners = new ResponseOwners();
    for (let count = 0; count <= 50_000; count += 1) owners.add(`resp_${count}`, owner('one'));
    expect(owners.ownerOf('resp_1', IN_PATH)).toBe('one');
    expect(() => owners.ownerOf('resp_0', { ...IN_PATH, param: 'previous_response_id' })).toThrow(
      expect.objectContaining({ code: 'response_not_found', status: 404, param: 'previous_response_id' }),
    );
  });

  it('is no question with a single host', () => {
    expect(new ResponseOwners().ownerOf('resp_x', ALONE)).toBe('one');
  });

  it('is the one that made it, though only another one takes part now', () => {
    const owners = new ResponseOwners();
    owners.add('resp_1', owner('two'));
    expect(owners.ownerOf('resp_1', ALONE)).toBe('two');
  });

  it.each([IN_PATH, ALONE])(
    'is told to nobody but the caller who asked for it, and to operators: %j',
    (asked) => {
      const owners = new ResponseOwners();
      owners.add('resp_1', owner('one', 'a'));
      expect(owners.ownerOf('resp_1', { ...asked, caller: 'a' })).toBe('one');
      expect(owners.ownerOf('resp_1', asked)).toBe('one');
      for (const caller of ['b', ''])
        expect(() => owners.ownerOf('resp_1', { ...asked, caller })).toThrow(
          expect.objectContaining({ code: 'response_not_found' }),
        );
    },
  );

  it.each(['', 'a b', '../x', 'x'.repeat(300)])('is nobody for what is no id: %p', (id) => {
    expect(() => new ResponseOwners().ownerOf(id, ALONE)).toThrow();
  });
});
