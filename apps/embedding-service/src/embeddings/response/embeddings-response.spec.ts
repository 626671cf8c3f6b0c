import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { EmbeddingsResponse } from './embeddings-response.ts';

const items = (count: number, dimensions: number) =>
  Array.from({ length: count }, (_, index) => ({
    vector: Float32Array.from({ length: dimensions }, (__, position) => Math.sin(index * 31 + position)),
    tokenCount: 3,
    truncated: index === 1,
  }));

async function textOf(body: string | Readable): Promise<string> {
  if (typeof body === 'string') return body;
  const pieces: string[] = [];
  for await (const piece of body) pieces.push(piece as string);
  return pieces.join('');
}

describe('EmbeddingsResponse', () => {
  it.each([
    ['one vector', 1],
    ['exactly a slice', 32],
    ['several slices', 100],
  ])('is the JSON that OpenAI defines, with the id of Mistral: %s', async (_, count) => {
    const parts = {
      model: 'the "model"',
      items: items(count, 512),
      shape: { dimensions: 512, type: 'float' as const },
      encoding: 'float' as const,
    };
    const response = new EmbeddingsResponse(parts);
    expect(JSON.parse(await textOf(response.body()))).toEqual({
      object: 'list',
      data: parts.items.map(({ vector, truncated }, index) => ({
        object: 'embedding',
        index,
        embedding: Array.from(vector),
        ...(truncated ? { truncated } : {}),
      })),
      model: 'the "model"',
      id: 'embd-the "model"',
      usage: { prompt_tokens: count * 3, total_tokens: count * 3 },
    });
  });
});
