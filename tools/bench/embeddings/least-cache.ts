import { hash } from 'node:crypto';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import { pino } from 'pino';

/**
 * `least-cache.ts <redis> <vector bytes>`: the least that answers a call from Redis out of the parts of embedding-service: Fastify, a
 * line of pino a call, ioredis, which joins the look-ups of a turn. What is not there is made up. Prints its origin.
 */
const [url = '', bytes = ''] = process.argv.slice(2);
const redis = new Redis(url, { enableAutoPipelining: true });
const log = pino({ base: { service: 'least' } }, pino.destination({ dest: 1, sync: true, minLength: 8_192 }));
const server = fastify();
server.post('/v1/embeddings', async (request, reply) => {
  const start = performance.now();
  const { input, model } = request.body as { readonly input: readonly string[]; readonly model: string };
  const key = `least:${hash('sha256', input[0] ?? '', 'base64url')}`;
  const found = await redis.getBuffer(key);
  const vector = found ?? Buffer.alloc(Number(bytes), 1);
  if (!found) await redis.set(key, vector);
  const embedding = vector.toString('base64');
  log.info({ requestId: request.id, model, ms: performance.now() - start }, 'request');
  return reply
    .type('application/json')
    .send(JSON.stringify({ object: 'list', data: [{ object: 'embedding', index: 0, embedding }], model }));
});
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
