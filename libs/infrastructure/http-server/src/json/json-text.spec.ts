import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isText } from './json-text.ts';

/** A character as JSON may spell it. */
const spelled = fc
  .tuple(
    fc.constantFrom(...'role"\\/\b\f\n\r\tä\u2028'),
    fc.constantFrom('as it is', 'short', 'lower', 'upper'),
  )
  .map(([character, way]) => {
    const written = JSON.stringify(character).slice(1, -1);
    const hex = character.charCodeAt(0).toString(16).padStart(4, '0');
    if (way === 'lower') return `\\u${hex}`;
    if (way === 'upper') return `\\u${hex.toUpperCase()}`;
    return way === 'short' && character === '/' ? '\\/' : written;
  });

const span = (bytes: Buffer, escaped = bytes.includes('\\')) => ({
  start: 1,
  end: bytes.length - 1,
  escaped,
});

it('a string is the text that JSON says, however it is spelled', () => {
  fc.assert(
    fc.property(fc.array(spelled, { maxLength: 5 }), fc.array(spelled, { maxLength: 5 }), (one, other) => {
      const bytes = Buffer.from(`"${one.join('')}"`);
      const said = JSON.parse(bytes.toString()) as string;
      for (const text of [said, JSON.parse(`"${other.join('')}"`) as string, 'role']) {
        // Such a text is ASCII.
        if (/^[\0-\x7f]*$/.test(text))
          expect([said, text, isText(bytes, span(bytes), text)]).toEqual([said, text, said === text]);
      }
    }),
  );
});

it.each(['x\\u', 'rolf\\u', 'role\\u', '\\u0061\\u'])(
  'of a string that is another one nothing is read behind the difference: %s',
  (beginning) => {
    // All of it could not be read.
    const bytes = Buffer.from(`"${beginning}"`);
    expect(isText(bytes, span(bytes), 'role')).toBe(false);
  },
);
