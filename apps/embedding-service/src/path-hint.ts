/** What the gateway answers, and this service is asked for where somebody took one for the other. */
const OF_GATEWAY =
  /^\/(?:openai\/)?(?:v1\/)?(?:chat|completions|responses|messages|moderations|audio|images)(?:\/|$)/;

/** Why there is no such path, where it is one that people look for. */
export function pathHint(path: string): string | undefined {
  if (OF_GATEWAY.test(path)) return 'This is embedding-service: llm-service has such paths.';
  if (path.startsWith('/api/'))
    return "Of Ollama's own API there are /api/embed and /api/embeddings; OpenAI's /v1/embeddings is there too.";
  return undefined;
}
