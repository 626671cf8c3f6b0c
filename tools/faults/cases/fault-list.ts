import type { Fault } from '../fault.ts';
import {
  cutBehindHeaders,
  halfChunk,
  type Headers,
  headersThenSilence,
  json,
  rawBytes,
  refusal,
  type Reply,
  reset,
  roleChunk,
  silence,
  slowFirstToken,
  startEvents,
  text,
} from '../replies.ts';
import { REFUSED } from '../fault-host.ts';

const SAID_S = 7;
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

const NO_ANSWERS: readonly Fault[] = [
  {
    name: 'error-in-json',
    reply: json(200, { error: { message: 'Engine core died.' } }),
    alone: { status: 502, says: /Engine core died/ },
    repeats: 2,
    isStream: false,
  },
  {
    name: 'error-as-first-event',
    reply: (response) => {
      startEvents(response);
      response.end('data: {"error":{"message":"Engine core died."}}\n\ndata: [DONE]\n\n');
    },
    alone: { status: 502, says: /Engine core died/ },
    repeats: 2,
    isStream: true,
  },
  {
    name: 'error-behind-the-role',
    reply: (response, { model }) => {
      startEvents(response);
      response.end(`${roleChunk(model)}data: {"error":{"message":"Engine core died."}}\n\n`);
    },
    alone: { status: 502, says: /Engine core died/ },
    repeats: 2,
    isStream: true,
  },
  {
    name: 'html',
    reply: text(200, 'text/html', '<html>Welcome to nginx!</html>'),
    alone: { status: 502, says: /host_error/ },
  },
  {
    name: 'html-as-json',
    reply: text(200, 'application/json', '<!doctype html><p>Sign in'),
    alone: { status: 502, says: /host_error/ },
  },
  {
    name: 'empty',
    reply: text(200, 'application/json'),
    alone: { status: 502, says: /empty answer/ },
    repeats: 2,
  },
  {
    name: '204',
    reply: (response) => response.writeHead(204).end(),
    alone: { status: 502, says: /empty answer/ },
    repeats: 2,
  },
  {
    name: 'wrong-type',
    reply: text(200, 'application/octet-stream', 'GIF89a'),
    alone: { status: 502, says: /host_error/ },
  },
  {
    name: 'redirect',
    reply: (response) => response.writeHead(302, { location: 'http://login.example/' }).end(),
    alone: { status: 502, says: /redirect/ },
  },
  {
    name: 'half-json',
    reply: text(200, 'application/json', '{"id":"c1","choices":['),
    alone: { status: 502, says: /host_error/ },
    repeats: 2,
  },
  {
    name: 'not-http',
    reply: rawBytes('SSH-2.0-OpenSSH_9.9\r\n'),
    alone: { status: 502, says: /host_error/ },
    repeats: 2,
  },
];

const CONNECTIONS: readonly Fault[] = [
  { name: REFUSED, reply: silence, alone: { status: 503, says: /no_host_available/ } },
  { name: 'reset', reply: reset, alone: { status: 502, says: /host_error/ }, repeats: 3 },
  {
    name: 'cut-behind-headers',
    reply: cutBehindHeaders,
    alone: { status: 502, says: /host_error/ },
    repeats: 2,
  },
  { name: 'half-a-chunk', reply: halfChunk, alone: { status: 502, says: /host_error/ }, repeats: 2 },
  {
    name: 'headers-then-silence',
    reply: headersThenSilence,
    alone: { status: 504, says: /host_timeout/ },
    isStream: true,
    slowMs: 5_000,
  },
  {
    name: 'silence',
    reply: silence,
    alone: { status: 504, says: /host_timeout/ },
    isStream: true,
    slowMs: 6_000,
  },
  { name: 'slow-first-token', reply: slowFirstToken(2_500), alone: {}, isStream: true, slowMs: 3_000 },
];

/** Each thing that a host can do instead of answering well. */
export const FAULTS: readonly Fault[] = [...REFUSALS, ...LIMITS, ...NO_ANSWERS, ...CONNECTIONS];
