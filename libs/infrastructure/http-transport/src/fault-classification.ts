import { type TransportFault } from './transport-error.ts';

/** How far a request had come when it failed. */
export type Phase =
  /** Waiting for a connection to become free. */
  | 'queued'
  /** Waiting for a connection of its own to be made. */
  | 'connecting'
  /** Written to a socket, at least in part. */
  | 'sent'
  /** The status line and headers of the response are here. */
  | 'responding';

const ANY_PHASE: Readonly<Record<string, TransportFault>> = {
  UND_ERR_DESTROYED: 'closed',
  UND_ERR_CLOSED: 'closed',
  UND_ERR_INVALID_ARG: 'invalid_request',
  UND_ERR_NOT_SUPPORTED: 'invalid_request',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'upload_failed',
};

const CONNECTING: Readonly<Record<string, TransportFault>> = {
  ECONNREFUSED: 'connect_refused',
  ENOTFOUND: 'dns_failed',
  EAI_AGAIN: 'dns_failed',
  EAI_FAIL: 'dns_failed',
  EAI_NODATA: 'dns_failed',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  EPROTO: 'tls_failed',
};

/** A limit of this process or machine: open files, memory. */
const OUT_OF_SOCKETS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

const RESPONDING: Readonly<Record<string, TransportFault>> = {
  UND_ERR_BODY_TIMEOUT: 'body_timeout',
  // The parser's word for an end of the connection inside a chunked body.
  HPE_INVALID_EOF_STATE: 'incomplete_body',
};

const CONNECTION_ENDS: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
]);

/** Names the fault behind an error of undici or of Node's sockets. The same code means different things by phase. */
export function transportFaultOf(error: unknown, phase: Phase): TransportFault {
  const { code = '', name, message = '' } = error as Partial<NodeJS.ErrnoException>;
  const known = ANY_PHASE[code];
  if (known) return known;
  if ((phase === 'queued' || phase === 'connecting') && OUT_OF_SOCKETS.has(code)) return 'out_of_sockets';
  if (phase === 'connecting')
    return CONNECTING[code] ?? (isTlsFault(code, message) ? 'tls_failed' : 'connect_failed');
  // A server that wants a certificate of ours refuses after the connection is made, as TLS 1.3 has it.
  if (phase === 'sent' && isTlsFault(code, message)) return 'tls_failed';
  const responding = phase === 'responding';
  if (responding && RESPONDING[code]) return RESPONDING[code];
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') return 'bad_response';
  if (!responding && isUnusable(code, message)) return 'bad_response';
  return responding ? 'incomplete_body' : 'reset';
}

/** Headers that undici reads and does not take: two lengths, an upgrade that nobody asked for. */
function isUnusable(code: string, message: string): boolean {
  return (
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' ||
    (code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)$/.test(message))
  );
}

/** Whether it is the end of a connection. A server that ends one stream of an HTTP/2 connection lives. */
export function isConnectionEnd(error: unknown): boolean {
  const { code = '' } = error as Partial<NodeJS.ErrnoException>;
  return CONNECTION_ENDS.has(code);
}

/** Of the codes for a refused certificate most share their beginnings. `UNSPECIFIED`: those that Node has no name for, such as a weak key. */
const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|ERROR_IN_C|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$|UNSPECIFIED$)/;

function isTlsFault(code: string, message: string): boolean {
  return TLS_CODE.test(code) || message.includes('secure TLS connection');
}
