import { chatCompletionSchema, completionSchema, embeddingSchema } from './openai.schemas.ts';
import {
  checkChatCompletion,
  checkCompletion,
  checkEmbedding,
  checkPassedThrough,
} from '../outline/request-checks.ts';
import type { Endpoint } from './endpoint.ts';

const post = (path: string, summary: string, rest: Partial<Endpoint> = {}): Endpoint => ({
  method: 'POST',
  path,
  summary,
  callClass: 'other',
  check: checkPassedThrough,
  ...rest,
});

const CHAT = post('/v1/chat/completions', 'Chat completion, as JSON or as a stream of server-sent events.', {
  callClass: 'chat',
  schema: chatCompletionSchema,
  check: checkChatCompletion,
});

const COMPLETION = post('/v1/completions', 'Text completion, as JSON or as a stream of server-sent events.', {
  schema: completionSchema,
  check: checkCompletion,
});

const EMBEDDINGS = post('/v1/embeddings', 'Vectors for texts, made by embedding-service.', {
  callClass: 'embeddings',
  isEmbedding: true,
  schema: embeddingSchema,
  check: checkEmbedding,
});

const NO_TOKENS = { usesNoTokens: true } as const;

const form = (path: string, summary: string) => post(path, summary, { isForm: true });

const RESPONSE = '/v1/responses/:id';

const stored = (method: Endpoint['method'], path: string, summary: string): Endpoint => ({
  method,
  path,
  summary,
  callClass: 'other',
});

const RESPONSES = [
  post('/v1/responses', 'A response, as JSON or as a stream of server-sent events.', { callClass: 'chat' }),
  post('/v1/responses/input_tokens', 'How many tokens the input of a response would have.', NO_TOKENS),
  post('/v1/responses/compact', 'A conversation made shorter.', { callClass: 'chat' }),
  stored('GET', RESPONSE, 'A response that a host keeps.'),
  { ...stored('DELETE', RESPONSE, 'Has a host forget a response.'), ...NO_TOKENS },
  stored('POST', `${RESPONSE}/cancel`, 'Cancels a response that is made in the background.'),
  stored('GET', `${RESPONSE}/input_items`, 'What a response was made from.'),
];

/** With Azure's clients the path names the model. */
const AZURE = [
  CHAT,
  COMPLETION,
  EMBEDDINGS,
  form('/v1/audio/transcriptions', 'Speech to text.'),
  form('/v1/audio/translations', 'Speech to English text.'),
  post('/v1/audio/speech', 'Text to speech.'),
  post('/v1/images/generations', 'Images for a text.'),
  form('/v1/images/edits', 'Images changed by a text.'),
  form('/v1/images/variations', 'Other images like one.'),
];

/** Whatever callers can ask of hosts. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...AZURE,
  ...AZURE.map((endpoint) => ({
    ...endpoint,
    path: endpoint.path.replace('/v1', '/openai/deployments/:model'),
    // The name of the model is in the path: the body need not repeat it.
    check: endpoint.check && checkPassedThrough,
  })),
  ...RESPONSES,
  // Azure's clients name the model of a response in its body, as everybody does.
  ...RESPONSES.map((endpoint) => ({ ...endpoint, path: endpoint.path.replace('/v1', '/openai') })),
  // And of anything else where their API has no more versions.
  ...[...AZURE, ...RESPONSES].map((endpoint) => ({ ...endpoint, path: `/openai${endpoint.path}` })),
  post('/v1/messages', "Anthropic's messages, as JSON or as a stream of server-sent events.", {
    callClass: 'chat',
  }),
  post('/v1/messages/count_tokens', 'How many tokens a message would have.', NO_TOKENS),
  post('/v1/moderations', 'Whether texts are harmful.'),
  ...['/v1/rerank', '/v2/rerank', '/rerank'].map((path) => post(path, 'Documents by relevance to a query.')),
  ...['/v1/score', '/score'].map((path) => post(path, 'How well texts fit together.')),
  post('/tokenize', 'Tokens of a text.', NO_TOKENS),
  post('/detokenize', 'Text of tokens.', NO_TOKENS),
];

/** The routes whose bodies are multipart forms. */
export const FORM_ROUTES: ReadonlySet<string> = new Set(
  ENDPOINTS.filter(({ isForm }) => isForm).map(({ path }) => path),
);

/** A path that only the configuration knows. */
export function extraEndpoint(path: string): Endpoint {
  return post(path, 'Passed on to a host.');
}
