import { describe, expect, it } from '@jest/globals';
import { EchoFilter } from './echo-filter.ts';

const GIVEN = 'What was said so far';
const piece = (text: string) => ({ text, isOther: false });
/** What becomes of pieces, as far as it is clear. */
const told = (filter: EchoFilter<ReturnType<typeof piece>>, ...texts: string[]) =>
  texts.flatMap((text) => filter.take(piece(text)).map((each) => each.text));

describe('what may be an echo', () => {
  it('is taken out, also where a piece of it has no text', () => {
    expect(told(new EchoFilter(GIVEN), 'What was', '', ' said so far, and', ' more')).toEqual([
      '',
      '',
      ', and',
      ' more',
    ]);
  });

  it('is told as it came once it is none, or has something else', () => {
    expect(told(new EchoFilter(GIVEN), 'What was', ' meant')).toEqual(['What was', ' meant']);
    const filter = new EchoFilter(GIVEN);
    expect(told(filter, 'What')).toEqual([]);
    expect(filter.take({ text: '', isOther: true }).map(({ text }) => text)).toEqual(['What', '']);
  });

  it('is held up to ten thousand pieces, and no longer', () => {
    const filter = new EchoFilter(GIVEN);
    const empty = new Array<string>(9_999).fill('');
    expect(told(filter, ...empty)).toEqual([]);
    expect(told(filter, '')).toHaveLength(10_000);
    expect(told(filter, GIVEN)).toEqual([GIVEN]);
  });

  it('is nothing where the text says one thing again and again', () => {
    expect(told(new EchoFilter('ha ha ha ha '), 'ha ha ha ha ', 'ha')).toEqual(['ha ha ha ha ', 'ha']);
  });
});
