import { describe, expect, it } from '@jest/globals';
import { ResponseOwners } from './response-owners.ts';

const HOSTS = ['one', 'two'];

describe('who keeps a response', () => {
  it('is known of the latest 50,000, and the answer says so of others', () => {
    const owners = new ResponseOwners();
    for (let count = 0; count <= 50_000; count += 1) owners.add(`resp_${count}`, 'one');
    expect(owners.ownerOf('resp_1', HOSTS, 'response_id')).toBe('one');
    expect(() => owners.ownerOf('resp_0', HOSTS, 'previous_response_id')).toThrow(
      expect.objectContaining({ code: 'response_not_found', status: 404, param: 'previous_response_id' }),
    );
  });

  it('is no question with a single host', () => {
    expect(new ResponseOwners().ownerOf('resp_x', ['one'], 'response_id')).toBe('one');
  });

  it('is the one that made it, though only another one takes part now', () => {
    const owners = new ResponseOwners();
    owners.add('resp_1', 'two');
    expect(owners.ownerOf('resp_1', ['one'], 'response_id')).toBe('two');
  });

  it.each(['', 'a b', '../x', 'x'.repeat(300)])('is nobody for what is no id: %p', (id) => {
    expect(() => new ResponseOwners().ownerOf(id, ['one'], 'response_id')).toThrow();
  });
});
