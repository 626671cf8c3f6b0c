const STAYS = 'is not offered: it is about what one host keeps, and of that only responses are found again.';

/** Paths of Ollama's own API. */
export const OF_OLLAMA =
  /^\/api\/(?:chat|generate|embed|embeddings|tags|show|ps|version|pull|push|create|copy|delete)$/;

/** What people ask a gateway for that this one has not, and the sentence about it. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/\/batches(?:\/|$)/, `The API of batches ${STAYS}`],
  [/\/(?:files|uploads)(?:\/|$)/, `The API of files ${STAYS}`],
  [/\/(?:assistants|threads|conversations|vector_stores|containers)(?:\/|$)/, `Such an API ${STAYS}`],
  [/\/(?:fine_tuning|evals|videos|skills)(?:\/|$)/, `Such an API ${STAYS}`],
  [/\/realtime(?:\/|$)/, 'The realtime API is not offered: it needs WebSockets.'],
  [
    /^\/(?:(?:v[12]\/|api\/)?embed|embed_all|(?:v1\/)?similarity)$/,
    'embedding-service has such paths; of vectors there is /v1/embeddings here.',
  ],
  [/^\/(?:v1\/)?(?:re)?ranking$/, 'Rankings are at /v1/rerank.'],
  [/^\/(?:(?:v1\/)?embedding|vectors)$/, 'Vectors are at /v1/embeddings.'],
  [OF_OLLAMA, "Ollama's own API is not offered; OpenAI's is, such as /v1/chat/completions."],
  [
    /^\/v1beta\d*\/|:\w*(?:[gG]enerateContent|[eE]mbedContents?|countTokens)$/,
    "Gemini's own API is not offered; OpenAI's is, such as /v1/chat/completions.",
  ],
  [
    /^\/(?:$|generate(?:_stream)?$)/,
    "text-generation-inference's own API is not offered; OpenAI's is, such as /v1/chat/completions.",
  ],
  [
    /^\/(?:v[12]\/chat|v1\/(?:generate|classify|summarize|check-api-key))$/,
    "Cohere's own API is not offered, but for /v1/rerank and /v2/rerank; OpenAI's is, such as /v1/chat/completions.",
  ],
  [/^\/v1\/complete$/, "Anthropic's text completions are not offered; /v1/messages is."],
  [
    /^\/openai\/deployments(?:\/[^/]+)?$/,
    'A deployment is a model here, and its name must not be empty: /openai/deployments/MODEL/chat/completions.',
  ],
  [/^\/admin(?:\/|$)/, 'The admin API has a port of its own: ADMIN_PORT.'],
];

/** Why there is no such path, where it is one that people look for. */
export function pathHint(path: string): string | undefined {
  return ABSENT.find(([paths]) => paths.test(path))?.[1];
}
