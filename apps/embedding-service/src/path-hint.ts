/** What people ask this service for that it has not, and the sentence about it. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [
    /^\/(?:openai\/)?(?:v[12]\/)?(?:chat|completions|responses|messages|moderations|audio|images)(?:\/|$)/,
    'This is embedding-service: llm-service has such paths.',
  ],
  [
    /^\/api\//,
    "Of Ollama's own API there are /api/embed, /api/embeddings, /api/tags and /api/show; OpenAI's /v1/embeddings is there too.",
  ],
  [
    /^\/v1beta\d*\/|:\w*(?:[eE]mbed|[gG]enerate)Contents?$/,
    "Gemini's own API is not offered; OpenAI's /v1/embeddings is.",
  ],
  [/^\/(?:v1\/)?(?:re)?ranking$/, 'Rankings are at /v1/rerank.'],
  [/^\/(?:(?:v1\/)?embedding|vectors)$/, 'Vectors are at /v1/embeddings.'],
  [/^\/(?:v1\/)?score$/, 'There are /v1/rerank for a cross-encoder, and /v1/similarity.'],
  [
    /^\/(?:embed_sparse|predict|(?:v1\/)?(?:classify|pooling|multimodalembeddings|contextualizedembeddings))$/,
    'Of text there are dense vectors (/v1/embeddings), those of tokens (/embed_all), and rankings (/v1/rerank).',
  ],
];

/** Why there is no such path, where it is one that people look for. */
export function pathHint(path: string): string | undefined {
  return ABSENT.find(([paths]) => paths.test(path))?.[1];
}
