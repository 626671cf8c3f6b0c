import type { TransportFault } from '@morgan/http-transport';
import type { Outcome } from './outcome.ts';

/** What a fault of the transport is, as long as no content has been handed out. */
export const OUTCOME_OF_FAULT: Readonly<Record<TransportFault, Outcome>> = {
  connect_refused: 'connect_error',
  dns_failed: 'connect_error',
  connect_timeout: 'connect_error',
  tls_failed: 'connect_error',
  connect_failed: 'connect_error',
  out_of_sockets: 'saturated',
  pool_timeout: 'saturated',
  write_timeout: 'timeout',
  upload_failed: 'unsendable',
  first_byte_timeout: 'timeout',
  body_timeout: 'stalled',
  reset: 'reset',
  incomplete_body: 'cut',
  bad_response: 'bad_response',
  too_large: 'bad_response',
  aborted: 'aborted',
  closed: 'stopping',
  invalid_request: 'unsendable',
};
