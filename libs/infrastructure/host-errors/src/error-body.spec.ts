import { describe, expect, it } from '@jest/globals';
import { askedRestMs } from './asked-rest.ts';
import { readErrorBody } from './error-body.ts';

describe('readErrorBody', () => {
  it.each([
    ['an error object', '{"error": {"message": "no", "code": "c"}}', { message: 'no', code: 'c' }, true],
    ['that in a list', '[{"error": {"message": "no", "code": 400}}]', { message: 'no', status: 400 }, true],
    ['behind a byte order mark', '\uFEFF{"error": "no"}', { message: 'no' }, true],
    ['an event', 'event: error\ndata: {"error": {"message": "no"}}\n\n', { message: 'no' }, true],
    [
      'an event with an id, and a status in a comment',
      'id:1\nevent:error\n:HTTP_STATUS/429\ndata:{"code":"c","message":"no"}\n\n',
      { message: 'no', code: 'c' },
      true,
    ],
    ['a JSON that is a text', '"no"', { message: 'no' }, true],
    ['a text', '{"msg": "no"}', { message: 'no' }, true],
    ['an error under a name of its own', '{"apiError": {"message": "no"}}', { message: 'no' }, true],
    ['a form that nobody knows', '{"a":"no","b":1}', { message: '{"a":"no",\n"b":1}' }, true],
    ['the beginning of a JSON', '{"error": {"message": "n\\u006f", "input": "abc', { message: 'no' }, true],
    ['plain text', ' no \n', { message: 'no' }, false],
    ['XML', '<Error><Code>C</Code><Message>no</Message></Error>', { message: 'no', code: 'C' }, false],
    ['a page', '<!doctype html><h1>no</h1>', undefined, false],
    ['nothing', '', undefined, false],
  ])('reads %s', (_, text, error, isJson) => {
    const body = readErrorBody(text, 400);
    expect(body.isJson).toBe(isJson);
    if (error) expect(body.error).toMatchObject(error);
    else expect(body.error).toBeUndefined();
  });

  it('has the JSON where that is all there is', () => {
    expect(readErrorBody('{"error": "no"}', 400).json).toEqual({ error: 'no' });
    for (const text of ['[{"error": "no"}]', 'data: {"error": "no"}', 'no'])
      expect(readErrorBody(text, 400).json).toBeUndefined();
  });

  it('takes a 404 without words for one of the path', () => {
    expect(readErrorBody('{"a": "no", "b": 1}', 404).error).toBeUndefined();
  });
});

describe('askedRestMs', () => {
  const now = new Date('2030-01-01T00:00:00Z');
  const error = (more: object) =>
    readErrorBody(JSON.stringify({ error: { message: 'no', ...more } }), 429).error;
  it.each([
    ['a header', { 'retry-after': '2' }, { retry_after: 9 }, 2_000],
    ['the message', {}, { message: 'Please try again in 1.5s' }, 1_500],
    ['a field', {}, { retry_after: 3 }, 3_000],
    ['a duration in a field', {}, { retry_after: '2h7m23s' }, 7_643_000],
    ['what is behind a detail', {}, { details: [{ metadata: { quotaResetDelay: '373.801628ms' } }] }, 374],
    [
      'a moment on the clock of the host',
      { date: now.toUTCString() },
      { resets_at: now.getTime() / 1_000 + 4 },
      4_000,
    ],
    ['a header of the host behind a router', {}, { metadata: { headers: { 'Retry-After': '5' } } }, 5_000],
    ['what that one said', {}, { metadata: { raw: 'try again in 6s' } }, 6_000],
    ['nobody', {}, {}, undefined],
  ])('is told by %s', (_, headers, fields, ms) => {
    expect(askedRestMs(429, headers, error(fields))).toBe(ms);
  });
});
