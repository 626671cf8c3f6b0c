import type { Evidence, RestRule } from './evidence.ts';
import type { Outcome } from './outcome.ts';

const SECOND = 1_000;
/** A rest that nobody asked for ends soon enough that a target is in use again within half a minute of its recovery. */
const LONGEST = 25 * SECOND;

const rest = (of: RestRule['of'], firstMs: number, maxMs: number): RestRule => ({ of, firstMs, maxMs });

/** A response that is not one, though its status says so; another host may be set up better. */
const unusable = (seen: string): Evidence => ({
  seen,
  about: 'host',
  next: 'next target',
  weight: 'fault',
});

/** A fault that a request can cause as well as a host. */
const doubtful = (seen: string): Evidence => ({ ...unusable(seen), mayBeRequest: true });

/** An end that says nothing of any host. */
const over = (seen: string, about: Evidence['about']): Evidence => ({
  seen,
  about,
  next: 'return',
  weight: 'none',
});

/** For a model whose every request fails at a host where other models succeed. */
export const MODEL_OUTAGE = rest('host + model', 10 * SECOND, LONGEST);

/** What each outcome is evidence of, what the call does next, and what is remembered. docs/evidence.md is made from it. */
export const EVIDENCE: Readonly<Record<Outcome, Evidence>> = {
  ok: {
    seen: '2xx with content and a clean end',
    about: 'host',
    next: 'deliver',
    weight: 'success',
  },
  malformed_request: {
    seen: '400, 413, 422 and other 4xx that are about the form of a request: 406, 411, 412, 414 to 417, 428, 431; 404 of what a request refers to, such as a response that is kept',
    about: 'request',
    next: 'return',
    weight: 'none',
    mayBeHost: true,
  },
  context_too_long: {
    seen: '400, 403, 413, 422 or 5xx whose code or text says that the context is too long',
    about: 'request',
    next: 'next fitting target',
    weight: 'none',
  },
  unsupported_by_model: {
    seen: '400, 412 or 422 whose code or text says that this model does not take a field, or a value of one',
    about: 'request',
    next: 'next fitting target',
    weight: 'none',
  },
  policy_refusal: {
    seen: '400, 403, 409, 424 or a 4xx that nobody knows whose code or text says that the input was flagged, and 5xx whose code says so',
    about: 'request',
    next: 'return',
    weight: 'none',
  },
  conflict: {
    seen: '409, 421, 423, 424, 425 and a 4xx that nobody knows; 404 that names neither model nor path nor anything else; 400 and other 4xx that are no JSON, or whose code or type is that of a fault; a model that only another endpoint of the host serves; a part of the conversation that another host has made or left out; what the host was not set up for; a conversation that the template of its model does not take; a request that alone is above a limit per minute; what the model wrote and its host could not use; what a router says of a host of its own with a 400; 498 of a token: not now or not here, and not because of load',
    about: 'host',
    next: 'next target',
    weight: 'none',
    mayBeHost: true,
  },
  model_not_found: {
    seen: '404, 410, 400 or 403 whose code or text names the model or an adapter, and 5xx whose code does or whose text says that it cannot be loaded',
    about: 'host + model',
    next: 'next target',
    weight: 'none',
    rest: rest('host + model', 10 * SECOND, LONGEST),
  },
  path_not_found: {
    seen: '404 or 410 without such words, 405, 501, and 400, 403 or 5xx whose text says that there is no such path or operation; 200 with an answer of another API',
    about: 'host + path',
    next: 'next target',
    weight: 'none',
    rest: rest('host + path', 10 * SECOND, LONGEST),
  },
  credentials_rejected: {
    seen: '401, 407, 403 that is nothing else, and 400, 412 or 422 whose text says that the key is not valid',
    about: 'host + path',
    next: 'next target',
    weight: 'none',
    rest: rest('host + path', 10 * SECOND, LONGEST),
  },
  quota_exhausted: {
    seen: '402, 429 with `insufficient_quota`, with the usage limit of an account, or with such words and no time, and 400, 401, 403, 412 or 422 whose text or 5xx whose code says that credit or quota is used up',
    about: 'host + model',
    next: 'next target',
    weight: 'none',
    rest: rest('host + model', 10 * SECOND, LONGEST),
  },
  rate_limited: {
    seen: '429, and another 4xx or 5xx whose text says so',
    about: 'host + model',
    next: 'next target',
    weight: 'none',
    rest: rest('host + model', SECOND, LONGEST),
  },
  overloaded: {
    seen: '498 of capacity, 529, 503 with a Retry-After, and 400 or 5xx whose text says overloaded',
    about: 'host + model',
    next: 'next target',
    weight: 'none',
    rest: rest('host + model', SECOND, LONGEST),
  },
  loading: {
    seen: '503 whose text says that the model is loading, warming up or asleep, and another 5xx that says so of the model',
    about: 'host + model',
    next: 'next target',
    weight: 'none',
    rest: rest('host + model', SECOND, 10 * SECOND),
  },
  server_error: doubtful(
    'any other 5xx, 408, 426, 499, 400 of an engine that broke, 403 without a word of an API, and 424 that an inference server says of its model',
  ),
  error_in_answer: doubtful(
    '200 with an error object as the whole JSON or as the first event, without a status in it; with scores or vectors of which a number is null, NaN or Infinity; with nothing of what was asked for, and no reason',
  ),
  redirect: unusable('3xx'),
  html: unusable('200 with HTML'),
  empty: doubtful('200 without a byte of content, 204; not where something was to be deleted'),
  wrong_type: unusable(
    '200 with a content type that is neither JSON nor events, with events where none were asked for, with several JSONs, a line each, or with text where the path has JSON only',
  ),
  bad_response: doubtful(
    'bytes that are not HTTP, or JSON that does not end or is nested too deep to be read',
  ),
  connect_error: unusable('no connection: refused, DNS, TLS, time-out'),
  reset: doubtful('the connection ended before the headers'),
  timeout: doubtful('streamed: no headers within `firstByteTimeoutMs`'),
  stalled: doubtful(
    'streamed: headers, then silence for `idleTimeoutMs`, or for the limit between events where that is longer',
  ),
  cut: doubtful('headers, then the end of the answer or of the connection before any content'),
  outrun: {
    seen: 'no content within the first-token limit, and another target began first',
    about: 'host',
    next: 'deliver',
    weight: 'weak',
  },
  cancelled: over(
    'another target began first, and this one was not late yet, or still in a queue of ours',
    'this process',
  ),
  interrupted: {
    seen: 'the answer broke off after its first content',
    about: 'host',
    next: 'return',
    weight: 'fault',
  },
  answer_timeout: over('not streamed: no whole answer within `answerTimeoutMs`', 'request'),
  saturated: {
    seen: 'no connection of our own limit became free, or this process may open no further file',
    about: 'this process',
    next: 'next target',
    weight: 'none',
  },
  limited: {
    seen: 'our own rate limit or bulkhead of the host',
    about: 'this process',
    next: 'next target',
    weight: 'none',
  },
  unsendable: over('the request cannot be written as HTTP', 'this process'),
  stopping: over('this process is stopping', 'this process'),
  expired: over('the deadline passed', 'caller'),
  aborted: over('the caller left early', 'caller'),
  impatient: {
    seen: 'the caller left after a silence that is unlikely by the history of the target',
    about: 'host',
    next: 'return',
    weight: 'weak',
  },
};
