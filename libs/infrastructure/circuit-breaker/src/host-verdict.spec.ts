import { describe, expect, it } from '@jest/globals';
import { AppError, ERROR_CODES, type ErrorCode } from '@morgan/foundation';
import { TransportError, type TransportFault } from '@morgan/http-transport';
import { hostVerdict } from './host-verdict.ts';

const context = { id: 'call', signal: new AbortController().signal };
const ofError = (error: unknown) => hostVerdict({ error }, context);
const withStatus = (status: number) => Object.assign(new Error('answer'), { status });

function aborted(reason?: unknown) {
  const caller = new AbortController();
  caller.abort(reason);
  return { id: 'call', signal: caller.signal };
}

describe('the verdict on the host', () => {
  it.each([200, 204, 301, 400, 401, 403, 404, 409, 413, 422, 499])('of an answer %i is good', (status) => {
    expect(hostVerdict({ result: { status } }, context)).toBe('ok');
    expect(hostVerdict({ result: { statusCode: status } }, context)).toBe('ok');
    expect(ofError(withStatus(status))).toBe('ok');
    expect(ofError(Object.assign(new Error('axios'), { response: { status } }))).toBe('ok');
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 529])('of an answer %i is a fault', (status) => {
    expect(hostVerdict({ result: new Response(null, { status }) }, context)).toBe('fault');
    expect(ofError(withStatus(status))).toBe('fault');
    expect(ofError(Object.assign(new Error('axios'), { response: { status } }))).toBe('fault');
  });

  it('is good for any result without a status', () => {
    for (const result of [undefined, null, 7, 'text', {}, { status: 'done' }]) {
      expect(hostVerdict({ result }, context)).toBe('ok');
    }
  });

  it('is a fault for broken connections and time-outs', () => {
    for (const error of [
      Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      new TypeError('fetch failed'),
      new DOMException('too late', 'TimeoutError'),
      'a string',
    ]) {
      expect(ofError(error)).toBe('fault');
    }
  });

  it("says nothing after the caller's own abort, whatever the error looks like", () => {
    for (const error of [withStatus(500), new AppError('host_timeout', 'Late.'), new Error('reset')]) {
      expect(hostVerdict({ error }, aborted())).toBe('none');
    }
    expect(ofError(new DOMException('somebody else', 'AbortError'))).toBe('none');
  });

  it('is a fault when the signal says that time ran out', () => {
    const late = new DOMException('too late', 'TimeoutError');
    expect(hostVerdict({ error: late }, aborted(late))).toBe('fault');
    const appError = new AppError('host_timeout', 'Late.');
    expect(hostVerdict({ error: appError }, aborted(appError))).toBe('fault');
  });

  it('takes the answer behind an AppError, through its causes, before its kind', () => {
    const behind = (status: number) =>
      new AppError('host_error', 'Failed.', { cause: new Error('wrapped', { cause: withStatus(status) }) });
    expect(ofError(behind(404))).toBe('ok');
    expect(ofError(behind(503))).toBe('fault');
    const circle = new Error('circle');
    circle.cause = circle;
    expect(ofError(circle)).toBe('fault');
  });

  it.each<[TransportFault, string]>([
    ['aborted', 'none'],
    ['closed', 'none'],
    ['invalid_request', 'none'],
    ['pool_timeout', 'none'],
    ['too_large', 'none'],
    ['upload_failed', 'none'],
    ['connect_refused', 'fault'],
    ['dns_failed', 'fault'],
    ['connect_timeout', 'fault'],
    ['first_byte_timeout', 'fault'],
    ['reset', 'fault'],
    ['bad_response', 'fault'],
  ])("of the transport's %s is %s, also as a cause", (reason, verdict) => {
    const error = new TransportError(reason, true);
    expect(ofError(error)).toBe(verdict);
    expect(ofError(new AppError('no_host_available', 'Failed.', { cause: error }))).toBe(verdict);
  });

  it('takes no word for a reason that is not of a transport', () => {
    expect(ofError(Object.assign(new Error('odd'), { reason: 'closed' }))).toBe('fault');
  });

  it('of an AppError without an answer behind it depends on its kind', () => {
    const faults = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
      (code) => ofError(new AppError(code, 'x')) === 'fault',
    );
    expect(new Set(faults.map((code) => ERROR_CODES[code].kind))).toEqual(
      new Set(['unavailable', 'upstream_failed', 'timeout']),
    );
    expect(faults).not.toContain('circuit_open');
  });
});
