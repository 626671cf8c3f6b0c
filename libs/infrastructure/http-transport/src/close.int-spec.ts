import { describe, expect, it } from '@jest/globals';
import { waitFor } from '@morgan/testing';
import { FullListener } from '../fixture/full-listener.ts';
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts';

/** Sockets of this process, those that are being connected among them. */
const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

describe('close', () => {
  const ways: [string, HttpTransportOptions][] = [
    ['http', {}],
    ['https', { http2: false }],
    ['https, perhaps with HTTP/2', {}],
  ];

  it.each(ways)('leaves no connection that is still being made: %s', async (scheme, options) => {
    const full = await FullListener.open();
    try {
      const before = sockets();
      const transport = new HttpTransport({ ...options, connectTimeoutMs: 60_000 });
      const origin = `${scheme.split(',')[0]}://127.0.0.1:${full.port}`;
      const sent = transport.request({ origin, path: '/', method: 'GET' });
      await waitFor(() => sockets() > before, { what: 'a socket' });
      const closed = transport.close(0);
      await expect(sent).rejects.toMatchObject({ reason: 'closed' });
      await closed;
      // Not at the end of its time, which is a minute: as soon as the event loop has come to it.
      await waitFor(() => sockets() === before, { what: 'the end of the socket' });
    } finally {
      await full.close();
    }
  });
});
