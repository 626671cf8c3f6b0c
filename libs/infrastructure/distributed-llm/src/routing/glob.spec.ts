import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { Glob } from './glob.ts';

describe('Glob', () => {
  it.each([
    ['gpt-4', ['gpt-4'], ['gpt-4o', 'GPT-4', '']],
    ['*', ['', 'a', 'a/b\nc'], []],
    ['gpt-*', ['gpt-', 'gpt-4'], ['gpt', 'a gpt-4']],
    ['*:free', [':free', 'a:free'], ['a:free ', 'free']],
    ['a*a', ['aa', 'aba'], ['a', 'ab']],
    ['a*b*c', ['abc', 'a-b-b-c', 'abcbc'], ['acb', 'ab', 'ac']],
    ['**', ['', 'a'], []],
    ['a.c*', ['a.c', 'a.c('], ['abc']],
  ])('%j fits %j and not %j', (text, fitting, others) => {
    const glob = new Glob(text);
    expect(fitting.filter((each) => !glob.fits(each))).toEqual([]);
    expect(others.filter((each) => glob.fits(each))).toEqual([]);
  });

  it('takes no time for the longest name that a caller can send', () => {
    const glob = new Glob('*a*b*c*d*');
    const name = 'a'.repeat(1_400) + 'b'.repeat(1_400) + 'c'.repeat(1_200);
    const { result, ms } = timedOnThread(() => Array.from({ length: 100 }, () => glob.fits(name)));
    expect(result).not.toContain(true);
    expect(ms).toBeLessThan(2_000);
  });
});
