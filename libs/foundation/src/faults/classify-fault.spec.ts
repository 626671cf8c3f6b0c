import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/error-codes.ts';
import { classifyFault } from './classify-fault.ts';
import { FAULT_OF_WORD } from './fault-table.ts';

const withMarks = (marks: object) => Object.assign(new Error('fault'), marks);

/** One row of the table in words: category, then what else holds. */
function described(error: unknown): string {
  const { category, retryable, sent, verdict, overloaded } = classifyFault(error);
  const more = [retryable && 'retryable', !sent && 'not sent', overloaded && 'overloaded', verdict];
  return [category, ...more.filter(Boolean)].join(', ');
}

const NOT_CONNECTED = 'connection, retryable, not sent, failure';
const CONNECT_TIMEOUT = 'timeout, retryable, not sent, overloaded, failure';
const TIMEOUT = 'timeout, retryable, overloaded, failure';
const BROKEN = 'connection, retryable, failure';
const UNKNOWN = 'unknown, failure';

const BY_WORD: Readonly<Record<string, string>> = {
  connect_refused: NOT_CONNECTED,
  connect_failed: NOT_CONNECTED,
  dns_failed: NOT_CONNECTED,
  connect_timeout: CONNECT_TIMEOUT,
  out_of_sockets: 'connection, retryable, not sent, ignored',
  pool_timeout: 'timeout, retryable, not sent, ignored',
  write_timeout: TIMEOUT,
  first_byte_timeout: TIMEOUT,
  body_timeout: TIMEOUT,
  reset: BROKEN,
  incomplete_body: BROKEN,
  bad_response: 'protocol, retryable, failure',
  upload_failed: 'invalid_request, ignored',
  tls_failed: 'connection, failure',
  aborted: 'cancelled, ignored',
  closed: 'closed, ignored',
  invalid_request: 'invalid_request, not sent, ignored',
  too_large: 'protocol, ignored',
  ECONNREFUSED: NOT_CONNECTED,
  ENOTFOUND: NOT_CONNECTED,
  EAI_AGAIN: NOT_CONNECTED,
  EHOSTUNREACH: NOT_CONNECTED,
  ENETUNREACH: NOT_CONNECTED,
  UND_ERR_CONNECT_TIMEOUT: CONNECT_TIMEOUT,
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  UND_ERR_SOCKET: BROKEN,
  ETIMEDOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  TimeoutError: TIMEOUT,
  AbortError: 'cancelled, ignored',
};

describe('the table of faults', () => {
  it('has no word that is not held here', () => {
    expect(Object.keys(FAULT_OF_WORD).sort()).toEqual(Object.keys(BY_WORD).sort());
  });

  it.each(Object.entries(BY_WORD))('says of %s: %s; also of a cause', (word, expected) => {
    const key = word.endsWith('Error') ? 'name' : word === word.toUpperCase() ? 'code' : 'reason';
    const error = withMarks({ [key]: word });
    expect(described(error)).toBe(expected);
    expect(described(new TypeError('fetch failed', { cause: error }))).toBe(expected);
  });

  it.each([
    [400, 'client_error, success'],
    [401, 'client_error, success'],
    [404, 'client_error, success'],
    [408, 'timeout, retryable, failure'],
    [425, 'server_error, retryable, failure'],
    [429, 'rate_limited, retryable, overloaded, failure'],
    [499, 'client_error, success'],
    [500, 'server_error, retryable, failure'],
    [503, 'server_error, retryable, overloaded, failure'],
    [529, 'server_error, retryable, overloaded, failure'],
    [200, 'protocol, success'],
  ])('says of a response %i: %s', (status, expected) => {
    for (const marks of [{ status }, { statusCode: status }, { response: { status } }])
      expect(described(withMarks(marks))).toBe(expected);
  });

  it.each<[ErrorCode, string]>([
    ['host_timeout', TIMEOUT],
    ['attempt_timeout', TIMEOUT],
    ['deadline_exceeded', 'timeout, overloaded, failure'],
    ['host_error', 'server_error, retryable, failure'],
    ['host_rejected_credentials', 'client_error, failure'],
    ['no_host_available', 'refused, retryable, failure'],
    ['circuit_open', 'refused, retryable, not sent, ignored'],
    ['queue_full', 'rate_limited, retryable, overloaded, ignored'],
    ['bulkhead_full', 'refused, retryable, overloaded, ignored'],
    ['rate_limited', 'rate_limited, retryable, overloaded, ignored'],
    ['cost_above_limit', 'invalid_request, ignored'],
    ['model_not_found', 'client_error, ignored'],
    ['invalid_value', 'invalid_request, ignored'],
    ['client_closed_request', 'cancelled, ignored'],
    ['internal_error', 'unknown, ignored'],
  ])('says of the code %s: %s', (code, expected) => {
    expect(described(new AppError(code, 'fault'))).toBe(expected);
  });

  it.each([undefined, null, 'text', 7, {}, new Error('bug'), withMarks({ code: 'toString' })])(
    'knows nothing of %p',
    (error) => expect(described(error)).toBe(UNKNOWN),
  );
});

describe('classifyFault', () => {
  it('reads a status with the wait it asks for', () => {
    const error = withMarks({ status: 429, headers: { 'retry-after': '2' } });
    expect(classifyFault(error)).toMatchObject({ status: 429, retryAfterMs: 2000 });
    expect(classifyFault(withMarks({ status: 503, retryAfterMs: 70 }))).toMatchObject({ retryAfterMs: 70 });
    const full = new AppError('queue_full', 'full', { retryAfterMs: 1500 });
    expect(classifyFault(full)).toMatchObject({ retryAfterMs: 1500 });
  });

  it('believes an error that says whether it was sent', () => {
    expect(classifyFault(withMarks({ reason: 'connect_timeout', sent: true })).sent).toBe(true);
    expect(classifyFault(withMarks({ reason: 'reset', sent: false })).sent).toBe(false);
  });

  it('takes a stale connection for nothing that the host did, and nothing else that says so', () => {
    const stale = withMarks({ reason: 'reset', stale: true });
    expect(classifyFault(stale)).toMatchObject({ stale: true, verdict: 'ignored', retryable: true });
    expect(classifyFault(new Error('fault', { cause: stale })).stale).toBe(true);
    for (const marks of [
      { code: 'EPIPE', stale: 'yes' },
      { status: 503, stale: true },
      { reason: 'body_timeout', stale: true },
    ])
      expect(classifyFault(withMarks(marks))).not.toHaveProperty('stale');
  });

  it('takes from the cause of an AppError what the host had to do with it', () => {
    const because = (cause: unknown) => described(new AppError('no_host_available', 'fault', { cause }));
    expect(because(withMarks({ reason: 'connect_refused' }))).toBe('refused, retryable, not sent, failure');
    expect(because(withMarks({ reason: 'pool_timeout' }))).toBe('refused, retryable, not sent, ignored');
    expect(because(withMarks({ reason: 'closed' }))).toBe('refused, ignored');
    expect(because(withMarks({ status: 401 }))).toBe('refused, success');
    expect(because(new Error('unknown'))).toBe('refused, retryable, failure');
  });

  it('does not follow causes for ever', () => {
    const wrap = (depth: number): Error =>
      depth === 0 ? withMarks({ code: 'EPIPE' }) : new Error('wrapped', { cause: wrap(depth - 1) });
    expect(described(wrap(4))).toBe(BROKEN);
    expect(described(wrap(5))).toBe(UNKNOWN);
    const error = new Error('round');
    error.cause = error;
    expect(described(error)).toBe(UNKNOWN);
  });
});
