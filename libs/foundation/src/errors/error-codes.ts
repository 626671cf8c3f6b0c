import type { ErrorKind } from './error-kind.ts';

interface ErrorCodeEntry {
  readonly kind: ErrorKind;
  /** What it means and what to do, as printed in docs/errors.md. */
  readonly doc: string;
}

/** Every code that a client can meet. Codes are stable: callers may switch on them. Held equal to docs/errors.md. */
export const ERROR_CODES = {
  malformed_request: {
    kind: 'invalid_request',
    doc: 'The bytes are not a valid HTTP request: a broken request line, header or body framing, or a `host` header that is missing or repeated.',
  },
  invalid_url: { kind: 'invalid_request', doc: 'The request target is not a valid URL path.' },
  request_timeout: {
    kind: 'request_timeout',
    doc: 'The request did not arrive completely in time; `receiveTimeoutMs` of the service says how long it may take.',
  },
  headers_too_large: {
    kind: 'headers_too_large',
    doc: 'Request line and headers are larger than 16 KiB, or there are more than 256 headers.',
  },
  expectation_failed: {
    kind: 'expectation_failed',
    doc: 'The `expect` header asks for something other than `100-continue`.',
  },
  invalid_json: { kind: 'invalid_request', doc: 'The body is not valid JSON.' },
  missing_body: { kind: 'invalid_request', doc: 'The request has no JSON body.' },
  unsupported_media_type: {
    kind: 'unsupported_media_type',
    doc: 'The `content-type` is not `application/json` in UTF-8 (nor, of a path that takes forms, `multipart/form-data` with a boundary), or the `content-encoding` is neither gzip nor zstd; the message names what came.',
  },
  invalid_content_encoding: {
    kind: 'invalid_request',
    doc: 'The body is not what its `content-encoding` says.',
  },
  body_too_complex: {
    kind: 'invalid_request',
    doc: 'The JSON of the body has more values or keys, or is nested deeper, than allowed; the message names the limit.',
  },
  missing_required_parameter: { kind: 'invalid_request', doc: 'The field in `param` is required.' },
  invalid_type: { kind: 'invalid_request', doc: 'The field in `param` has the wrong type.' },
  invalid_value: { kind: 'invalid_request', doc: 'The field in `param` is outside its allowed values.' },
  unsupported_parameter: {
    kind: 'invalid_request',
    doc: 'The field in `param` is not served, or not read at this path, whatever it says; the message says what is there instead.',
  },
  request_loop: {
    kind: 'invalid_request',
    doc: 'The request has come through several gateways of this kind in a row: one of them has itself, or another that leads back to it, for a host. `LLM_HOSTS` and `EMBEDDING_URL` name hosts, never the gateway. Or it has come back to the embedding-service that had sent it on: `EMBEDDING_REMOTE_HOSTS` leads there.',
  },
  strategy_not_allowed: {
    kind: 'invalid_request',
    doc: '`x-morgan-strategy` asks for a load balancing strategy that the configuration does not let callers choose for this model.',
  },
  empty_array: { kind: 'invalid_request', doc: 'The list in `param` needs at least one element.' },
  empty_string: { kind: 'invalid_request', doc: 'The text in `param` is empty.' },
  array_above_max_length: {
    kind: 'invalid_request',
    doc: 'The list in `param` is longer than allowed; the message names both numbers.',
  },
  context_length_exceeded: {
    kind: 'invalid_request',
    doc: 'A text has more tokens than the model takes, and truncation is off, or more than the memory of the service has room for, or the request is longer than any host of the model takes (`contextLength` of its `capabilities`); the message names the limit.',
  },
  unsupported_by_model: {
    kind: 'invalid_request',
    doc: 'The path exists for models of another kind, such as ranking, which takes a cross-encoder; or no host of the model takes tools, images or this endpoint, as its `capabilities` say. The message names what.',
  },
  invalid_token_id: { kind: 'invalid_request', doc: 'A token id is not in the vocabulary of the model.' },
  request_too_large: { kind: 'too_large', doc: 'The body is larger than the limit in the message.' },
  invalid_api_key: {
    kind: 'unauthenticated',
    doc: 'No API key was sent, it is not a configured one, or several different ones were sent. Paths that do not exist answer the same.',
  },
  origin_not_allowed: {
    kind: 'forbidden',
    doc: 'The service has no API keys and listens on 127.0.0.1, and a page asks that comes from another name: somebody may have let it resolve to this machine. `CORS_ORIGINS` names pages that may.',
  },
  model_not_found: { kind: 'not_found', doc: 'The model named in the request is not served here.' },
  response_not_found: {
    kind: 'not_found',
    doc: 'There are several hosts, and it is not known which of them keeps the response that the path or `previous_response_id` names: it is too long ago, another replica passed it on, or this process was started since; or it was made for another API key. Send the conversation itself.',
  },
  thread_not_found: {
    kind: 'not_found',
    doc: "A message goes on with a `thread`, and the hosts of its model speak chat completions only, which keep none. Anthropic's clients send the whole conversation then.",
  },
  host_not_found: {
    kind: 'not_found',
    doc: 'No host of this name is configured. Only the admin API answers so.',
  },
  unknown_url: { kind: 'not_found', doc: 'No such path.' },
  method_not_allowed: {
    kind: 'method_not_allowed',
    doc: 'The path exists, but not with this method; the `allow` header lists those it has.',
  },
  upgrade_required: {
    kind: 'upgrade_required',
    doc: 'A WebSocket was asked for. The path exists and answers over plain HTTP, streams included; `allow` lists its methods.',
  },
  no_host_available: {
    kind: 'unavailable',
    doc: 'No LLM host could be reached, or all of them have failed so often that they get no calls for a while. Try again, after `retry-after` seconds where the answer says so.',
  },
  host_timeout: {
    kind: 'timeout',
    doc: 'The last LLM host that was tried did not begin its answer in time.',
  },
  host_error: {
    kind: 'upstream_failed',
    doc: 'The last LLM host that was tried failed without a word: it cut the connection, or what it sent is no answer of its API.',
  },
  host_rejected_credentials: {
    kind: 'upstream_failed',
    doc: "The LLM host refused the gateway's own API key.",
  },
  stream_interrupted: {
    kind: 'upstream_failed',
    doc: 'The stream broke after it had begun. What arrived before is incomplete.',
  },
  model_loading: { kind: 'unavailable', doc: 'The embedding model is not loaded yet. Try again later.' },
  cache_unavailable: {
    kind: 'unavailable',
    doc: 'Redis could not be asked for something that the cache alone cannot do, such as a purge, or warming, for all replicas.',
  },
  overloaded: {
    kind: 'overloaded',
    doc: 'As many calls, or bytes of request bodies, as this service holds at a time are in flight; the message names the limit. The body was not read. Try again after `retry-after` seconds.',
  },
  queue_full: {
    kind: 'rate_limited',
    doc: 'As many tokens as allowed wait for the embedding model. Try again after `retry-after` seconds, when the first of the calls that wait should be through.',
  },
  inference_failed: {
    kind: 'internal',
    doc: 'The model failed on this input, also on a second try, alone. The message has the reason of the runtime.',
  },
  vector_not_finite: {
    kind: 'internal',
    doc: 'The model gave a vector with a value that is no finite number, as an overflow of 16-bit weights does. It is never cached.',
  },
  client_closed_request: { kind: 'cancelled', doc: 'The client went away. Seen only in logs and metrics.' },
  service_stopping: {
    kind: 'unavailable',
    doc: 'The service stopped, and its grace period was over before the answer was: its connection was cut. Seen only in logs and metrics.',
  },
  deadline_exceeded: {
    kind: 'timeout',
    doc: 'The call was not over by its deadline: that of the service, or the one in `x-morgan-deadline-ms`.',
  },
  circuit_open: {
    kind: 'unavailable',
    doc: 'The host behind this call failed too often and gets no calls for a while. Try again after `retry-after` seconds.',
  },
  bulkhead_full: {
    kind: 'overloaded',
    doc: 'As many calls as allowed are going on, and no place in the queue could serve this one in time. Try again after `retry-after` seconds.',
  },
  attempt_timeout: {
    kind: 'timeout',
    doc: 'One attempt took longer than its host has been taking for nearly all of its calls.',
  },
  rate_limited: {
    kind: 'rate_limited',
    doc: 'The rate limit is reached, or one of several API keys has so many requests under way that what is free is left to others. Try again after `retry-after` seconds.',
  },
  cost_above_limit: {
    kind: 'too_large',
    doc: 'The call alone costs more than the rate limit ever lets through at once; the message names both numbers.',
  },
  rate_limiter_unavailable: {
    kind: 'unavailable',
    doc: 'The shared rate limit cannot be checked, and it is configured to refuse calls then.',
  },
  internal_error: {
    kind: 'internal',
    doc: 'A fault in Morgan. The log has the details under the same request id.',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;
