import { expect, it } from '@jest/globals';
import type { HttpReply } from './http-exchange.ts';
import { IGNORED_HEADER, tellIgnored } from './ignored.ts';

/** What is told of names, one list of them after the other. */
function told(...lists: string[][]): unknown {
  const headers: Record<string, string | number> = {};
  const notes: Record<string, unknown> = {};
  const requestContext = { note: (field: string, value: unknown) => void (notes[field] = value) };
  const reply = {
    request: { requestContext },
    getHeaders: () => headers,
    header: (name: string, value: string) => void (headers[name] = value),
  } as unknown as HttpReply;
  for (const names of lists) tellIgnored(reply, names);
  expect(notes).toEqual({ ignored: headers[IGNORED_HEADER] });
  return headers[IGNORED_HEADER];
}

it('names what can stand in a header, and counts the rest', () => {
  expect(told(['other'])).toBe('other');
  expect(told(['line\r\nset-cookie: a', 'x'.repeat(65), 'ünder'])).toBe('and 3 more');
  expect(told(Array.from({ length: 10_000 }, (_, index) => `field-${index}`))).toBe(
    'field-0, field-1, field-2, field-3, field-4, field-5, field-6, field-7, and 9992 more',
  );
});

it('names fields behind the headers that are named already', () => {
  expect(told(['x-morgan-stall-ms'], ['colour', 'size'])).toBe('x-morgan-stall-ms, colour, size');
});
