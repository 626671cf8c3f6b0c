import { describe, expect, it } from '@jest/globals';
import { responseHeaders } from './response-headers.ts';

const pass = (received: string[], status = 200, own: [string, string][] = []) =>
  responseHeaders({ status, received, own: new Map(own) });

describe("the headers of a host's answer", () => {
  it('pass in their spelling, order and repetition', () => {
    const received = ['X-RateLimit-Remaining', '7', 'Link', 'a', 'link', 'b', 'content-length', '3'];
    expect(pass(received)).toEqual(received);
  });

  it('pass by any name, those of prototypes included', () => {
    const received = ['constructor', '1', '__proto__', '2', 'toString', '3', 'hasOwnProperty', '4'];
    expect(pass(received)).toEqual(received);
  });

  it('stay back where they would speak for the gateway, or only about one connection', () => {
    const names = [
      'WWW-Authenticate',
      'Set-Cookie',
      'Strict-Transport-Security',
      'Clear-Site-Data',
      'Alt-Svc',
      'NEL',
      'Report-To',
      'Reporting-Endpoints',
      'Public-Key-Pins',
      'Access-Control-Allow-Origin',
      'Access-Control-Allow-Credentials',
      'Connection',
      'Keep-Alive',
      'Transfer-Encoding',
      'Trailer',
      'Upgrade',
      'X-Request-Id',
      'OpenAI-Organization',
      'OpenAI-Project',
      'Anthropic-Organization-Id',
    ];
    expect(pass([...names.flatMap((name) => [name, 'x']), 'x-own', 'kept'])).toEqual(['x-own', 'kept']);
  });

  it('stay back where any of the connection headers names them', () => {
    const received = [
      'Connection',
      'x-one, X-Two',
      'x-one',
      '1',
      'X-TWO',
      '2',
      'x-three',
      '3',
      'x-four',
      '4',
    ];
    expect(pass([...received, 'connection', 'keep-alive,x-three'])).toEqual(['x-four', '4']);
  });

  it('have no length where there is no body, but keep that of what a 304 stands for', () => {
    expect(pass(['content-length', '12'], 204)).toEqual([]);
    expect(pass(['content-length', '12', 'etag', 'x'], 304)).toEqual(['content-length', '12', 'etag', 'x']);
  });

  it('have one type, the first, as it was judged by', () => {
    const received = ['Content-Type', 'application/json', 'a', 'b', 'content-type', 'text/html'];
    expect(pass(received)).toEqual(['Content-Type', 'application/json', 'a', 'b']);
  });

  it('say nothing in the name of the gateway, but pass what other services of it say', () => {
    const names = ['Host', 'Attempts', 'Model', 'Upstream-Request-Id'].map((name) => `X-Morgan-${name}`);
    const received = [...names.flatMap((name) => [name, 'x']), 'x-morgan-truncated', '1'];
    expect(pass(received)).toEqual(['x-morgan-truncated', '1']);
  });

  it("lose to the gateway's own", () => {
    expect(pass(['X-Morgan-Host', 'forged', 'a', 'b'], 200, [['x-morgan-host', 'one']])).toEqual([
      'a',
      'b',
      'x-morgan-host',
      'one',
    ]);
  });
});
