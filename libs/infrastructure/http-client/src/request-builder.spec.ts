import { describe, expect, it } from '@jest/globals';
import { RequestBuilder, type RequestOptions } from './request-builder.ts';

describe('a request to a base URL', () => {
  it.each<[string, string, RequestOptions['query'], string]>([
    ['http://host', '', undefined, '/'],
    ['http://host/', 'a', undefined, '/a'],
    ['http://host/v1//', '/a', undefined, '/v1/a'],
    ['http://host/v1', 'a', {}, '/v1/a'],
    ['http://host/v1', '', { b: 2 }, '/v1?b=2'],
    ['http://host/v1', 'a?b=1', { c: 2 }, '/v1/a?b=1&c=2'],
  ])('goes from %s and %j with %j to %s', (baseUrl, path, query, whole) => {
    const builder = new RequestBuilder(baseUrl, {});
    expect([builder.origin, builder.build('GET', path, { query }).path]).toEqual(['http://host', whole]);
  });

  it('has the headers of all calls, one of which its own replace whatever its case', () => {
    const builder = new RequestBuilder('http://host', { Accept: 'text/plain', 'X-All': 'a' });
    const headers = { 'x-all': 'own', 'Content-Type': 'application/x-own' };
    const { headers: flat, body } = builder.build('POST', 'a', { json: { b: 1 }, headers });
    expect(flat).toEqual(['accept', 'text/plain', 'x-all', 'own', 'content-type', 'application/x-own']);
    expect(body).toEqual(Buffer.from('{"b":1}'));
  });
});
