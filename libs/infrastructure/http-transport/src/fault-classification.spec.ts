import { describe, expect, it } from '@jest/globals';
import { transportFaultOf, type Phase } from './fault-classification.ts';

const withCode = (code: string, name = 'Error') => Object.assign(new Error('fault'), { code, name });

describe('transportFaultOf', () => {
  it.each<[string, Phase, string]>([
    ['ECONNREFUSED', 'connecting', 'connect_refused'],
    ['ENOTFOUND', 'connecting', 'dns_failed'],
    ['EAI_AGAIN', 'connecting', 'dns_failed'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connecting', 'connect_timeout'],
    ['ETIMEDOUT', 'connecting', 'connect_timeout'],
    ['EHOSTUNREACH', 'connecting', 'connect_failed'],
    ['EMFILE', 'connecting', 'out_of_sockets'],
    ['ENFILE', 'queued', 'out_of_sockets'],
    ['ENOBUFS', 'connecting', 'out_of_sockets'],
    ['ENOBUFS', 'sent', 'reset'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'connecting', 'tls_failed'],
    ['CERT_HAS_EXPIRED', 'connecting', 'tls_failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'connecting', 'tls_failed'],
    ['INVALID_PURPOSE', 'connecting', 'tls_failed'],
    ['PATH_LENGTH_EXCEEDED', 'connecting', 'tls_failed'],
    ['UNSPECIFIED', 'connecting', 'tls_failed'],
    ['ERR_INVALID_IP_ADDRESS', 'connecting', 'connect_failed'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'sent', 'tls_failed'],
    ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'sent', 'upload_failed'],
    ['ECONNRESET', 'connecting', 'connect_failed'],
    ['ECONNRESET', 'sent', 'reset'],
    ['EPIPE', 'sent', 'reset'],
    ['UND_ERR_SOCKET', 'sent', 'reset'],
    ['UND_ERR_HEADERS_OVERFLOW', 'sent', 'bad_response'],
    ['ECONNRESET', 'responding', 'incomplete_body'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'responding', 'incomplete_body'],
    ['UND_ERR_BODY_TIMEOUT', 'responding', 'body_timeout'],
    ['UND_ERR_DESTROYED', 'responding', 'closed'],
    ['UND_ERR_INVALID_ARG', 'connecting', 'invalid_request'],
  ])('%s while %s is %s', (code, phase, reason) => {
    expect(transportFaultOf(withCode(code), phase)).toBe(reason);
  });

  it('tells a broken chunk from an end of the connection between chunks', () => {
    expect(transportFaultOf(withCode('HPE_INVALID_CHUNK_SIZE', 'HTTPParserError'), 'responding')).toBe(
      'bad_response',
    );
    expect(transportFaultOf(withCode('HPE_INVALID_EOF_STATE', 'HTTPParserError'), 'responding')).toBe(
      'incomplete_body',
    );
  });
});
