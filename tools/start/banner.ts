import type { LaunchPlan } from './launch-plan.ts';

/** What a newcomer needs to know once everything runs. @param model one that the gateway serves, where its hosts list any */
export function banner({ llm, embedding, simulated, apiKey }: LaunchPlan, model: string | undefined): string {
  const headers = [
    `-H 'content-type: application/json'`,
    ...(apiKey === undefined ? [] : ['-H "Authorization: Bearer $API_KEY"']),
  ].join(' ');
  const curl = (options: string, path: string, body: object) =>
    `  curl ${options}${llm.origin}/v1/${path} ${headers} \\\n    -d '${JSON.stringify(body)}'`;
  const chat = { model: model ?? 'your-model', messages: [{ role: 'user', content: 'Hello, Morgan!' }] };
  return [
    '',
    'Morgan is running.',
    '',
    `  llm-service        ${llm.origin}/v1   API docs: ${llm.origin}/docs`,
    `  embedding-service  ${embedding.origin}/v1   API docs: ${embedding.origin}/docs`,
    '',
    ...(simulated ? simulatedNotice(simulated.origin) : []),
    ...(model === undefined
      ? [`No LLM host lists a model yet: ${llm.origin}/health says how they are.`, '']
      : []),
    ...(apiKey === undefined ? [] : ['API_KEY stands for one of the configured API keys.', '']),
    'Try:',
    '',
    curl('', 'chat/completions', chat),
    curl('-N ', 'chat/completions', { ...chat, stream: true }),
    curl('', 'embeddings', { model: 'default', input: 'Hello, Morgan!' }),
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

function simulatedNotice(origin: string): readonly string[] {
  return [
    `SIMULATED: no LLM host is configured, so ${origin}/v1 plays one; no model is behind its answers.`,
    'Real ones: LLM_HOSTS="gpu1=http://10.0.0.1:8000/v1" npm start',
    '',
  ];
}
