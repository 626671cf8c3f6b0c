import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { unknownFields } from './unknown-fields.ts';

const unknownIn = unknownFields(z.looseObject({ encoding_format: z.string(), user: z.string() }));

it('finds what a schema does not know', () => {
  expect(unknownIn({ user: 'a', encoding_format: 'b' })).toBeUndefined();
  expect(unknownIn({ user: 'a', other: 1, absent: null })).toEqual(['other']);
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
