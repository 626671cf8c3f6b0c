import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpTransport } from './src/index.ts';

const server = createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1'); // an echo
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const transport = new HttpTransport({ maxConnections: 50, readTimeoutMs: 60_000 });
const body = Buffer.from('{}'); // or anything that gives bytes piece by piece
const response = await transport.request({ origin, path: '/v1/x?y=1', method: 'POST', body });
assert.equal(response.status, 200); // the headers are here, the body is on its way
assert.equal(String(await response.bytes()), '{}'); // or response.body, a stream, or .into(sink), or .discard()

await assert.rejects(transport.request({ origin: 'http://127.0.0.1:2', path: '/', method: 'GET' }), {
  name: 'TransportError',
  reason: 'connect_refused',
});
assert.deepEqual(transport.getStatus()['http://127.0.0.1:2']?.faults, { connect_refused: 1 });
await transport.close(1_000); // what is still in flight has a second
server.close();
