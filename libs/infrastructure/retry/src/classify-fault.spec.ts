import { describe, expect, it } from '@jest/globals';
import { AppError, type ErrorCode } from '@morgan/foundation';
import { TransportError, type TransportFault } from '@morgan/http-transport';
import { classifyFault } from './classify-fault.ts';
import { isTransient } from './fault.ts';

const withMarks = (marks: object) => Object.assign(new Error('fault'), marks);

describe('classifyFault', () => {
  const OF_TRANSPORT: Readonly<Record<TransportFault, string>> = {
    connect_refused: 'connection, not sent',
    connect_failed: 'connection, not sent',
    dns_failed: 'connection, not sent',
    connect_timeout: 'timeout, not sent',
    pool_timeout: 'timeout, not sent',
    write_timeout: 'timeout, sent',
    first_byte_timeout: 'timeout, sent',
    body_timeout: 'timeout, sent',
    reset: 'connection, sent',
    incomplete_body: 'connection, sent',
    bad_response: 'connection, sent',
    upload_failed: 'final',
    tls_failed: 'final',
    aborted: 'final',
    closed: 'final',
    invalid_request: 'final',
    too_large: 'final',
  };

  it.each(Object.entries(OF_TRANSPORT))("takes the transport's %s for %s", (reason, expected) => {
    const beforeResponse = !['body_timeout', 'incomplete_body', 'too_large'].includes(reason);
    const fault = classifyFault(new TransportError(reason as TransportFault, beforeResponse));
    const sent = fault.kind === 'final' ? '' : `, ${fault.sent ? '' : 'not '}sent`;
    expect(`${fault.kind}${sent}`).toBe(expected);
  });

  it('reads a status with the wait it asks for', () => {
    expect(classifyFault(withMarks({ status: 429, headers: { 'retry-after': '2' } }))).toEqual({
      kind: 'status',
      status: 429,
      retryAfterMs: 2000,
      sent: true,
    });
    expect(classifyFault(withMarks({ status: 503, retryAfterMs: 70 }))).toMatchObject({ retryAfterMs: 70 });
  });

  it('believes an error that says whether it was sent', () => {
    expect(classifyFault(withMarks({ status: 503, sent: false }))).toMatchObject({ sent: false });
    expect(classifyFault(withMarks({ reason: 'connect_timeout', sent: true }))).toMatchObject({ sent: true });
    expect(classifyFault(withMarks({ reason: 'aborted', sent: false }))).toStrictEqual({ kind: 'final' });
    expect(classifyFault(withMarks({ reason: 'aborted' }))).toStrictEqual({ kind: 'final' });
  });

  it('believes a connection that says it was stale, and nothing else that says so', () => {
    const stale = { kind: 'connection', sent: true, stale: true };
    const transportError = Object.assign(new TransportError('reset', true), { stale: true });
    expect(classifyFault(transportError)).toEqual(stale);
    expect(classifyFault(new Error('fault', { cause: transportError }))).toEqual(stale);
    expect(classifyFault(withMarks({ code: 'EPIPE', stale: true, sent: false }))).toEqual({
      ...stale,
      sent: false,
    });
    expect(classifyFault(withMarks({ code: 'EPIPE', stale: 'yes' }))).not.toHaveProperty('stale');
    expect(classifyFault(withMarks({ status: 503, stale: true }))).not.toHaveProperty('stale');
    expect(classifyFault(withMarks({ name: 'TimeoutError', stale: true }))).not.toHaveProperty('stale');
    expect(classifyFault(withMarks({ reason: 'aborted', stale: true }))).toEqual({ kind: 'final' });
  });

  it.each<[ErrorCode, string]>([
    ['host_timeout', 'timeout'],
    ['host_error', 'status 502'],
    ['no_host_available', 'status 503'],
    ['bulkhead_full', 'status 503'],
    ['model_not_found', 'status 404'],
    ['host_rejected_credentials', 'final'],
    ['deadline_exceeded', 'final'],
    ['client_closed_request', 'final'],
    ['internal_error', 'final'],
  ])('takes the code %s for %s', (code, expected) => {
    const fault = classifyFault(new AppError(code, 'fault'));
    expect(fault.kind === 'status' ? `status ${fault.status}` : fault.kind).toBe(expected);
  });

  it("takes from an AppError's cause whether it was sent, and whether it is final", () => {
    const because = (cause: unknown) => classifyFault(new AppError('no_host_available', 'fault', { cause }));
    expect(because(new TransportError('connect_refused', true))).toMatchObject({ status: 503, sent: false });
    expect(because(new TransportError('reset', true))).toMatchObject({ status: 503, sent: true });
    expect(because(new TransportError('closed', true))).toEqual({ kind: 'final' });
    expect(isTransient(because(withMarks({ status: 401 })))).toBe(false);
    expect(because(new Error('unknown'))).toMatchObject({ status: 503, sent: true });
  });

  it("passes an AppError's wait on", () => {
    const error = new AppError('bulkhead_full', 'full', { retryAfterMs: 1500 });
    expect(classifyFault(error)).toMatchObject({ status: 503, retryAfterMs: 1500 });
  });

  const NOT_CONNECTED = { kind: 'connection', sent: false };
  const BROKEN = { kind: 'connection', sent: true };

  it.each([
    ['ECONNREFUSED', NOT_CONNECTED],
    ['ENOTFOUND', NOT_CONNECTED],
    ['EAI_AGAIN', NOT_CONNECTED],
    ['EHOSTUNREACH', NOT_CONNECTED],
    ['ENETUNREACH', NOT_CONNECTED],
    ['UND_ERR_CONNECT_TIMEOUT', { kind: 'timeout', sent: false }],
    ['ECONNRESET', BROKEN],
    ['EPIPE', BROKEN],
    ['UND_ERR_SOCKET', BROKEN],
    ['ETIMEDOUT', { kind: 'timeout', sent: true }],
    ['UND_ERR_HEADERS_TIMEOUT', { kind: 'timeout', sent: true }],
    ['UND_ERR_BODY_TIMEOUT', { kind: 'timeout', sent: true }],
    ['EACCES', { kind: 'final' }],
  ])("knows Node's %s, also as the cause of a failed fetch", (code, fault) => {
    expect(classifyFault(withMarks({ code }))).toEqual(fault);
    expect(classifyFault(new TypeError('fetch failed', { cause: withMarks({ code }) }))).toEqual(fault);
  });

  it('tells a time limit from an abort', () => {
    expect(classifyFault(new DOMException('slow', 'TimeoutError'))).toEqual({ kind: 'timeout', sent: true });
    expect(classifyFault(new DOMException('gone', 'AbortError'))).toEqual({ kind: 'final' });
  });

  it.each([undefined, null, 'text', 7, {}, new Error('bug'), withMarks({ code: 'toString' })])(
    'takes %p for final',
    (error) => {
      expect(classifyFault(error)).toEqual({ kind: 'final' });
    },
  );

  it('does not follow causes for ever', () => {
    const wrap = (depth: number): Error =>
      depth === 0 ? withMarks({ code: 'EPIPE' }) : new Error('wrapped', { cause: wrap(depth - 1) });
    expect(classifyFault(wrap(4))).toEqual(BROKEN);
    expect(classifyFault(wrap(5))).toEqual({ kind: 'final' });
    const error = new Error('round');
    error.cause = error;
    expect(classifyFault(error)).toEqual({ kind: 'final' });
  });
});

describe('isTransient', () => {
  it('is so for 5xx, 408, 425 and 429, and for no other status', () => {
    const transient = Array.from({ length: 600 }, (_, status) => status).filter((status) =>
      isTransient({ kind: 'status', status, sent: true }),
    );
    expect(transient).toEqual([408, 425, 429, ...Array.from({ length: 100 }, (_, n) => 500 + n)]);
  });
});
