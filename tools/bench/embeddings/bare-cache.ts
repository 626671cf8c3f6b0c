import { fastify } from 'fastify';

/** `bare-cache.ts <response>`: the least that answers a call from memory: Fastify reads the body and sends what is there; prints its origin. */
const [response] = process.argv.slice(2);
const server = fastify();
server.post('/v1/embeddings', (_request, reply) => reply.type('application/json').send(response));
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
