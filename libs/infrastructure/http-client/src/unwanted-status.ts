import type { IncomingHttpHeaders } from 'node:http';
import type { TransportResponse } from '@morgan/http-transport';

/**
 * A response of 400 or above, as the policies see it: they read `status` and `headers`. Its body is not read yet, and
 * holds its connection until it is read or discarded unless it fits into the buffer of the stream.
 */
export class UnwantedStatus extends Error {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;

  constructor(readonly response: TransportResponse) {
    super(`status ${response.status}`);
    this.status = response.status;
    this.headers = response.headers;
  }
}
