import { describe, expect, it } from '@jest/globals';
import { httpUrl } from './http-url.ts';

const faultOf = (text: string) => httpUrl().safeParse(text).error?.issues[0]?.message;

describe('the setting of a base URL', () => {
  it.each(['http://host', 'https://host:8443/v1', 'http://[::1]:8000/v1', 'http://10.0.0.1/a%20b'])(
    'may be %s',
    (text) => expect(faultOf(text)).toBeUndefined(),
  );

  it.each([
    ['ftp://host', 'must be an http:// or https:// URL'],
    ['host:8000', 'must be an http:// or https:// URL'],
    ['', 'must be an http:// or https:// URL'],
    ['http://user@host', 'must not hold credentials'],
    ['http://:secret@host', 'must not hold credentials'],
    ['http://host/v1?key=secret', 'must not have a query or a fragment'],
    ['http://host/v1#secret', 'must not have a query or a fragment'],
    ['http://host/a b', 'must not have white space in it'],
    ['http://one\nhttp://two', 'must not have white space in it'],
    ['http://${HOST}:8000/v1', 'has a reference such as'],
    ['http://$(HOST)/v1', 'has a reference such as'],
  ])('may not be %j', (text, fault) => {
    expect(faultOf(text)).toContain(fault);
    expect(faultOf(text)).not.toContain('secret');
  });
});
