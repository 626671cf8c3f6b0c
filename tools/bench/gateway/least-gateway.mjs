import Fastify from 'fastify';
import { pino } from 'pino';
import { Pool } from 'undici';

/**
 * The least that a gateway out of the parts of llm-service can be: Fastify, one key, both bodies parsed, one line of pino a call,
 * undici. No limits, no failover, no metrics, no stream contract. Prints its origin.
 */
const [host, key] = process.argv.slice(2);
const pool = new Pool(host, { connections: 1024 });
const log = pino({ base: { service: 'least' } }, pino.destination({ dest: 1, sync: true, minLength: 8_192 }));
const app = Fastify();
app.addHook('onRequest', (request, reply, done) => {
  if (request.headers.authorization !== `Bearer ${key}`) return void reply.code(401).send();
  done();
});
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/v1/chat/completions', (request, reply) => {
  const start = performance.now();
  const { model, stream } = JSON.parse(request.body);
  reply.hijack();
  const response = reply.raw;
  const end = () => log.info({ requestId: request.id, model, ms: performance.now() - start }, 'request');
  const headers = { 'content-type': 'application/json' };
  const options = { path: request.url, method: 'POST', headers, body: request.body };
  if (stream) {
    response.once('finish', end);
    return void pool.stream(options, ({ statusCode, headers: theirs }) =>
      response.writeHead(statusCode, theirs),
    );
  }
  void pool.request(options).then(async ({ statusCode, headers: theirs, body }) => {
    const bytes = Buffer.from(await body.arrayBuffer());
    JSON.parse(bytes);
    response.writeHead(statusCode, theirs).end(bytes);
    end();
  });
});
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`http://127.0.0.1:${app.server.address().port}`);
