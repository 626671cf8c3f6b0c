import { describe, expect, it } from '@jest/globals';
import { pathHint } from './path-hint.ts';

describe('the hint about a path that the service has not', () => {
  it.each([
    ['/v1/chat/completions', 'llm-service'],
    ['/v1/ranking', '/v1/rerank'],
    ['/reranking', '/v1/rerank'],
    ['/v1/embedding', '/v1/embeddings'],
    ['/vectors', '/v1/embeddings'],
    ['/api/version', '/api/embed'],
  ])('%s', (path, said) => {
    expect(pathHint(path)).toContain(said);
  });
});
