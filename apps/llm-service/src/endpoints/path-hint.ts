const STAYS = 'is not offered: it is about what one host keeps, and of that only responses are found again.';

/** What people ask a gateway for that this one has not, and the sentence about it. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/\/batches(?:\/|$)/, `The API of batches ${STAYS}`],
  [/\/(?:files|uploads)(?:\/|$)/, `The API of files ${STAYS}`],
  [/\/(?:assistants|threads|conversations|vector_stores|containers)(?:\/|$)/, `Such an API ${STAYS}`],
  [/\/(?:fine_tuning|evals|videos|skills)(?:\/|$)/, `Such an API ${STAYS}`],
  [/\/realtime(?:\/|$)/, 'The realtime API is not offered: it needs WebSockets.'],
  [/^\/api\//, "Ollama's own API is not offered; OpenAI's is, such as /v1/chat/completions."],
  [/^\/v1beta\//, "Gemini's own API is not offered; OpenAI's is, such as /v1/chat/completions."],
  [
    /^\/openai\/deployments(?:\/|$)/,
    'A deployment is a model here, and its name must not be empty: /openai/deployments/MODEL/chat/completions.',
  ],
  [/^\/admin(?:\/|$)/, 'The admin API has a port of its own: ADMIN_PORT.'],
];

/** Why there is no such path, where it is one that people look for. */
export function pathHint(path: string): string | undefined {
  return ABSENT.find(([paths]) => paths.test(path))?.[1];
}
