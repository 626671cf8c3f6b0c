import { createServer } from 'node:http';
import { Pool } from 'undici';

/**
 * The least that a gateway in Node can be: reads a body, sends it on, streams the response back. No validation, no log, no
 * metrics, no failover. The yardstick for llm-service; prints its origin. JavaScript, so that its start is no compiler's.
 */
const pool = new Pool(process.argv[2], { connections: 1024 });
const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const headers = { 'content-type': 'application/json' };
    void pool.stream(
      { path: request.url, method: 'POST', headers, body: Buffer.concat(chunks) },
      ({ statusCode, headers: theirs }) => response.writeHead(statusCode, theirs),
    );
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
