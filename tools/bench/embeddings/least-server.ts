import { fastify } from 'fastify';
import { pino } from 'pino';
import { BareEmbedder } from './bare-embedder.ts';

interface Waiting {
  readonly text: string;
  readonly resolve: (vector: Float32Array) => void;
}

/** As many as embedding-service takes by default. */
const BATCH = 32;

/**
 * `least-server.ts <folder>`: the least that a server of one text a call can be that is made of the parts of
 * embedding-service: Fastify, a line of pino a call, and the bare runtime in the same process, which takes up to a batch of what waits.
 * No limits, no cache, no metrics, nothing between the parts. Prints its origin.
 */
const [folder = ''] = process.argv.slice(2);
const embedder = await BareEmbedder.load(folder, 1);
const log = pino({ base: { service: 'least' } }, pino.destination({ dest: 1, sync: true, minLength: 8_192 }));
const waiting: Waiting[] = [];
let isRunning = false;

async function runBatches(): Promise<void> {
  isRunning = true;
  while (waiting.length > 0) {
    const calls = waiting.splice(0, BATCH);
    const vectors = await embedder.vectorsOf(await embedder.rowsOf(calls.map(({ text }) => text)));
    const width = vectors.length / calls.length;
    calls.forEach(({ resolve }, at) => resolve(vectors.subarray(at * width, (at + 1) * width)));
  }
  isRunning = false;
}

const server = fastify();
server.post('/v1/embeddings', async (request, reply) => {
  const start = performance.now();
  const { input, model } = request.body as { readonly input: readonly string[]; readonly model: string };
  const { promise, resolve } = Promise.withResolvers<Float32Array>();
  waiting.push({ text: input[0] ?? '', resolve });
  // What comes in one turn of the event loop is a batch.
  if (!isRunning) setImmediate(() => (isRunning ? undefined : void runBatches()));
  const { buffer, byteOffset, byteLength } = await promise;
  const embedding = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
  log.info({ requestId: request.id, model, ms: performance.now() - start }, 'request');
  return reply
    .type('application/json')
    .send(JSON.stringify({ object: 'list', data: [{ object: 'embedding', index: 0, embedding }], model }));
});
console.log(await server.listen({ port: 0, host: '127.0.0.1' }));
