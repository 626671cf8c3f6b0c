import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { AppError } from '@morgan/foundation';
import { checkMediaType, contentEncodingOf } from './media-type.ts';

const refusal = (check: () => unknown) => {
  try {
    check();
  } catch (error) {
    return [(error as AppError).status, (error as AppError).message];
  }
  return 'taken';
};

describe('the media type of a body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON ; Charset=utf8',
    'application/json; charset=us-ascii',
    'application/vnd.openai+json',
    'application/json; profile=x',
  ])('may be %s', (type) => {
    expect(refusal(() => checkMediaType({ 'content-type': type }))).toBe('taken');
  });

  it.each([
    ['text/plain', "not 'text/plain'"],
    ['text/plain; a=application/json', "not 'text/plain; a=application/json'"],
    ['application/jsonp', 'application/jsonp'],
    ['application/json; charset=utf-16', "not in 'utf-16'"],
    ['', "not ''"],
    [undefined, 'not missing'],
    [`a/${'b'.repeat(500)}`, `'a/${'b'.repeat(98)}'`],
  ])('may not be %s, and the refusal names it', (type, message) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    expect(refusal(() => checkMediaType(headers))).toEqual([415, expect.stringContaining(message)]);
  });

  it.each([
    ['spaces', `application/json; charset=${' '.repeat(15_000)}"x"y`],
    ['parameters', `application/json${';a=b'.repeat(3_700)}`],
    ['suffixes', `application/${'a+'.repeat(7_500)}`],
  ])('is judged at once, however many %s it has', (_, type) => {
    const judge = () => refusal(() => checkMediaType({ 'content-type': type }));
    expect(timedOnThread(judge).ms).toBeLessThan(1_000);
  });

  it('may come as it is, as gzip or as zstd', () => {
    expect(contentEncodingOf({})).toBe('identity');
    expect(contentEncodingOf({ 'content-encoding': 'identity' })).toBe('identity');
    expect(contentEncodingOf({ 'content-encoding': 'GZIP' })).toBe('gzip');
    expect(contentEncodingOf({ 'content-encoding': 'zstd' })).toBe('zstd');
    for (const encoding of ['br', 'deflate', 'zstd, gzip', 'gzip, gzip'])
      expect(refusal(() => contentEncodingOf({ 'content-encoding': encoding }))).toEqual([
        415,
        expect.stringContaining(`not '${encoding}'`),
      ]);
  });
});
