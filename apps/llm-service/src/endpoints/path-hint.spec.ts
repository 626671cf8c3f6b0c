import { describe, expect, it } from '@jest/globals';
import { pathHint } from './path-hint.ts';

describe('the hint about a path that the gateway has not', () => {
  it.each([
    ['/v1/batches', 'of batches is not offered'],
    ['/v1/batches/batch_1/cancel', 'of batches is not offered'],
    ['/v1/messages/batches', 'of batches is not offered'],
    ['/openai/v1/files', 'of files is not offered'],
    ['/v1/uploads/u_1/parts', 'of files is not offered'],
    ['/v1/vector_stores', 'is not offered'],
    ['/v1/fine_tuning/jobs', 'is not offered'],
    ['/v1/realtime', 'WebSockets'],
    ['/openai/realtime', 'WebSockets'],
    ['/api/chat', '/v1/chat/completions'],
    ['/v1beta/models/gemini-pro:generateContent', '/v1/chat/completions'],
    ['/v1/models/gemini-pro:streamGenerateContent', "Gemini's own API is not offered"],
    ['/v1beta1/publishers/google/models/gemini-pro:countTokens', "Gemini's own API is not offered"],
    ['/generate_stream', "text-generation-inference's own API is not offered"],
    ['/', "text-generation-inference's own API is not offered"],
    ['/v2/chat', "Cohere's own API is not offered"],
    ['/v1/embed', 'embedding-service has such paths'],
    ['/v1/ranking', '/v1/rerank'],
    ['/reranking', '/v1/rerank'],
    ['/embedding', '/v1/embeddings'],
    ['/api/embed', 'embedding-service has such paths'],
    ['/v1/complete', '/v1/messages is'],
    ['/openai/deployments/embeddings', 'its name must not be empty'],
    ['/admin/hosts', 'ADMIN_PORT'],
  ])('%s', (path, said) => {
    expect(pathHint(path)).toContain(said);
  });

  it.each([
    '/v1/nothing',
    '/v1/profiles',
    '/v1/models/llama3:8b',
    '/administration',
    '/api/event_logging/batch',
  ])('is none for %s', (path) => {
    expect(pathHint(path)).toBeUndefined();
  });
});
