import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { unknownFields } from './unknown-fields.ts';

const unknownIn = unknownFields(z.looseObject({ encoding_format: z.string(), user: z.string() }));

it('names what a schema does not know, as far as it can stand in a header', () => {
  expect(unknownIn({ user: 'a', encoding_format: 'b' })).toBeUndefined();
  expect(unknownIn({ user: 'a', other: 1, absent: null })).toBe('other');
  expect(unknownIn({ 'line\r\nset-cookie: a': 1, ['x'.repeat(65)]: 1, ünder: 1 })).toBe('and 3 more');
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field-${index}`, 1]));
  expect(unknownIn(many)).toBe(
    'field-0, field-1, field-2, field-3, field-4, field-5, field-6, field-7, and 9992 more',
  );
});

it('refuses another spelling of what is known, and nothing that says nothing', () => {
  expect(() => unknownIn({ encodingFormat: 'b' })).toThrow(
    "'encodingFormat' is unknown; 'encoding_format' is",
  );
  expect(unknownIn({ encodingFormat: null })).toBeUndefined();
});

it('knows no fields of a schema that has none', () => {
  expect(unknownFields(z.unknown())({ any: 1 })).toBeUndefined();
});
