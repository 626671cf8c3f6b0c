import { describe, expect, it } from '@jest/globals';
import { hostInShort, inWords, markdownTable, tally } from './table.ts';

describe('the table', () => {
  it('counts equal words in the order in which they came', () => {
    expect(tally(['200 b', '500', '200 b'])).toBe('2 x 200 b, 1 x 500');
  });

  it('says what a host saw since the trouble began, with the first three times', () => {
    const seen = [5, 110, 120, 1_600, 1_700].map((at) => ({ at, caller: '#1', did: '500' }));
    expect(hostInShort('a', seen, 100)).toBe('a: 4 x 500 at 10 ms, 20 ms, 1.5 s, ...');
    expect(hostInShort('b', [], 100)).toBe('b: none');
  });

  it('has a row for each case, and its first miss', () => {
    const result = {
      name: 'reset/equal',
      group: 'short',
      trouble: 'a | b',
      callers: '',
      hosts: '',
      bound: '',
      stalledMs: 0,
    };
    const table = markdownTable([{ ...result, backMs: 1_500, stalledMs: 0, misses: ['hung', 'late'] }]);
    expect(table.split('\n')).toHaveLength(3);
    expect(table).toContain('| `reset/equal` | a \\| b |');
    expect(table).toContain(`| ${inWords(1_500)} | no: hung |`);
  });
});
