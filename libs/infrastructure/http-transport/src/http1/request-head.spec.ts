import { describe, expect, it } from '@jest/globals';
import type { TransportRequest } from '../request-sender.ts';
import { requestHead } from './request-head.ts';

const headOf = (request: Partial<TransportRequest>) =>
  requestHead({ origin: 'http://a', path: '/x?y=1', method: 'POST', ...request }, 'a:80');
const [START, GET] = [
  'POST /x?y=1 HTTP/1.1\r\nhost: a:80\r\nconnection: keep-alive\r\n',
  { method: 'GET' } as const,
];
async function* source() {
  yield await Promise.resolve('x');
}

describe('the head of a request', () => {
  it.each<[string, Partial<TransportRequest>, string]>([
    ['of bytes', { body: Buffer.from('four') }, 'content-length: 4'],
    [
      'of bytes whose length is named',
      { body: Buffer.from('four'), headers: ['Content-Length', '4'] },
      'content-length: 4',
    ],
    ['of bytes that come', { body: source() }, 'transfer-encoding: chunked'],
    [
      'of bytes that come, with a length',
      { body: source(), headers: ['Content-Length', '9'] },
      'content-length: 9',
    ],
    ['of nothing', {}, 'content-length: 0'],
    ['of no bytes', { body: Buffer.alloc(0) }, 'content-length: 0'],
  ])('%s says how long it is', (_, request, line) => {
    expect(headOf(request).text).toBe(`${START}${line}\r\n\r\n`);
  });

  it('of a method without a body says nothing of one', () => {
    expect(headOf({ ...GET, headers: ['content-length', '0'] }).text).toBe(
      'GET /x?y=1 HTTP/1.1\r\nhost: a:80\r\nconnection: keep-alive\r\n\r\n',
    );
  });

  it('has the headers as they are spelled, but for what concerns the connection', () => {
    const headers = ['X-One', 'a', 'host', 'b', 'Connection', 'Close', 'x-one', '\xfc\t'];
    expect(headOf({ ...GET, headers })).toMatchObject({
      text: 'GET /x?y=1 HTTP/1.1\r\nhost: b\r\nconnection: close\r\nX-One: a\r\nx-one: \xfc\t\r\n\r\n',
      isLast: true,
    });
  });

  it.each<[string, Partial<TransportRequest>]>([
    ['HEAD', { method: 'HEAD' }],
    ['a body that is not expected', { method: 'DELETE', body: Buffer.from('x') }],
  ])('%s is the last on its connection', (_, request) => expect(headOf(request).isLast).toBe(true));

  it.each<[string, Partial<TransportRequest>]>([
    ['a path without a slash', { path: 'x' }],
    ['a space in the path', { path: '/a b' }],
    ['a line in the path', { path: '/\r\nx: y' }],
    ['a letter in the path that is no byte', { path: '/\u20ac' }],
    ['a line in a value', { headers: ['a', 'b\r\nc: d'] }],
    ['a line feed in a value', { headers: ['a', 'b\nc'] }],
    ['a NUL in a value', { headers: ['a', '\0'] }],
    ['a letter in a value that is no byte', { headers: ['a', '\u20ac'] }],
    ['a space in a name', { headers: ['a b', 'c'] }],
    ['a colon in a name', { headers: ['a:', 'c'] }],
    ['no name', { headers: ['', 'c'] }],
    ['no value', { headers: ['a'] }],
    ['a coding of its own', { headers: ['Transfer-Encoding', 'chunked'] }],
    ['an upgrade', { headers: ['upgrade', 'h2c'] }],
    ['an expectation', { headers: ['Expect', '100-continue'] }],
    ['two lengths', { headers: ['content-length', '0', 'Content-Length', '0'] }],
    ['a length that is none', { headers: ['content-length', '1e1'] }],
  ])('refuses %s', (_, request) => {
    expect(() => headOf(request)).toThrow(expect.objectContaining({ code: 'UND_ERR_INVALID_ARG' }));
    // A name that was refused is refused again.
    expect(() => headOf(request)).toThrow(expect.objectContaining({ code: 'UND_ERR_INVALID_ARG' }));
  });

  it.each<[string, Partial<TransportRequest>]>([
    ['fewer', { body: Buffer.from('four'), headers: ['content-length', '5'] }],
    ['more', { body: Buffer.from('four'), headers: ['content-length', '3'] }],
    ['none', { headers: ['content-length', '3'] }],
  ])('refuses bytes that are %s than it says', (_, request) => {
    expect(() => headOf(request)).toThrow(
      expect.objectContaining({ code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' }),
    );
  });
});
