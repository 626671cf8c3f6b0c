import type { Fault } from '../fault.ts';
import { type Headers, json, refusal, type Reply } from '../replies.ts';
import { RESPONSE_FAULTS } from './response-faults.ts';

/** Longer than a call may wait by a good deal: the host is asked several times before. */
const SAID_S = 12;
const SAID = { saidMs: SAID_S * 1_000 };
const WORDS = /Please slow down/;

/** 429 with a time that is only known when it is said. */
const full =
  (headersNow: () => Headers): Reply =>
  (response, request) =>
    refusal(429, 'Please slow down.', { code: 'rate_limit_exceeded', headers: headersNow() })(
      response,
      request,
    );

const rateLimited = (form: string, headersNow: () => Headers): Fault => ({
  name: `429-${form}`,
  reply: full(headersNow),
  alone: { status: 429, says: WORDS, retryAfterS: [1, SAID_S + 1] },
  ...SAID,
});

const CREDENTIALS: Fault['alone'] = { status: 502, says: /host_rejected_credentials/ };

const REFUSALS: readonly Fault[] = [
  {
    name: '404-ollama',
    reply: refusal(404, 'model "MODEL" not found, try pulling it first', { type: 'api_error' }),
    alone: { status: 404, says: /try pulling/ },
  },
  {
    name: '404-vllm',
    reply: refusal(404, 'The model `MODEL` does not exist.', { type: 'NotFoundError', code: 404 }),
    alone: { status: 404, says: /does not exist/ },
  },
  {
    name: '404-openai',
    reply: refusal(404, 'The model `MODEL` does not exist or you do not have access to it.', {
      code: 'model_not_found',
    }),
    alone: { status: 404, says: /have access/ },
  },
  { name: '404-path', reply: json(404, { detail: 'Not Found' }), alone: { status: 404, says: /Not Found/ } },
  {
    name: '401',
    reply: refusal(401, 'Incorrect API key provided.', { code: 'invalid_api_key' }),
    alone: CREDENTIALS,
  },
  {
    name: '402',
    reply: refusal(402, 'Insufficient Balance'),
    alone: { status: 402, says: /Insufficient Balance/ },
  },
  {
    name: '403-policy',
    reply: refusal(403, 'Your input was flagged by our moderation.'),
    alone: { status: 403, says: /was flagged/ },
    isRequests: true,
  },
  {
    name: '403-credentials',
    reply: refusal(403, 'Country, region, or territory not supported.'),
    alone: CREDENTIALS,
  },
  {
    name: '400',
    reply: refusal(400, 'messages[0].role is unknown.'),
    alone: { status: 400, says: /role is unknown/ },
    isRequests: true,
  },
  {
    name: '400-context',
    reply: refusal(400, "This model's maximum context length is 8 tokens.", {
      code: 'context_length_exceeded',
    }),
    alone: { status: 400, says: /maximum context/ },
    isRequests: true,
  },
  {
    name: '408',
    reply: refusal(408, 'The request took too long.'),
    alone: { status: 408, says: /took too long/ },
    repeats: 2,
  },
  {
    name: '409',
    reply: refusal(409, 'The engine is being updated.'),
    alone: { status: 409, says: /being updated/ },
  },
  { name: '425', reply: refusal(425, 'Too early.'), alone: { status: 425, says: /Too early/ } },
];

const LIMITS: readonly Fault[] = [
  rateLimited('seconds', () => ({ 'retry-after': String(SAID_S) })),
  rateLimited('date', () => ({ 'retry-after': new Date(Date.now() + SAID_S * 1_000).toUTCString() })),
  rateLimited('milliseconds', () => ({ 'retry-after-ms': String(SAID_S * 1_000) })),
  rateLimited('reset-duration', () => ({
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': `${SAID_S}s`,
  })),
  rateLimited('reset-tokens', () => ({
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': `${SAID_S - 1}s900ms`,
  })),
  rateLimited('reset-epoch', () => ({
    'x-ratelimit-reset': String(Math.floor(Date.now() / 1_000) + SAID_S),
  })),
  rateLimited('reset-anthropic', () => ({
    'anthropic-ratelimit-requests-remaining': '0',
    'anthropic-ratelimit-requests-reset': new Date(Date.now() + SAID_S * 1_000).toISOString(),
  })),
  { name: '429-bare', reply: full(() => ({})), alone: { status: 429, says: WORDS } },
  {
    name: '503-loading',
    reply: refusal(503, 'Loading model', { headers: { 'retry-after': String(SAID_S) } }),
    alone: { status: 503, says: /Loading model/, retryAfterS: [1, SAID_S] },
    ...SAID,
  },
  {
    name: '503-loading-bare',
    reply: refusal(503, 'Loading model', { type: 'unavailable_error' }),
    alone: { status: 503, says: /Loading model/ },
  },
  {
    name: '503',
    reply: refusal(503, 'Service down for a moment.'),
    alone: { status: 503, says: /for a moment/ },
    repeats: 2,
  },
  {
    name: '529',
    reply: refusal(529, 'Overloaded', { type: 'overloaded_error' }),
    alone: { status: 529, says: /Overloaded/ },
  },
  {
    name: '500',
    reply: refusal(500, 'CUDA error: an illegal memory access.'),
    alone: { status: 500, says: /illegal memory/ },
    repeats: 2,
  },
];

/** Each thing that a host can do instead of answering well. */
export const FAULTS: readonly Fault[] = [...REFUSALS, ...LIMITS, ...RESPONSE_FAULTS];
