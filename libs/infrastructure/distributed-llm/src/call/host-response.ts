import type { BegunAttempt } from '@morgan/http-client';
import { type HostResponseBody, type HostStream, StreamBody, WholeBody } from '@morgan/llm-protocol';
import type { Route } from '../routing/route-table.ts';
import type { Target } from '../routing/target.ts';
import type { Content } from '../response/opening.ts';
import type { Attempt } from '../attempt/attempt.ts';
import type { AttemptResult } from '../attempt/attempt-result.ts';
import type { CallRequest } from '../attempt/attempt-request.ts';
import type { ErrorResponse } from '../response/error-response.ts';

/** A host's response, good or bad. Where it is not whole, the body must be read to its end or destroyed, or its connection is held for ever. */
export interface HostResponse {
  /** The configured name of the host that answered. */
  readonly host: string;
  readonly status: number;
  /** Names and values in turn, all as the host sent them but for our key, which some quote: what may go on is for whoever passes them on. */
  readonly headers: string[];
  readonly contentType: string | undefined;
  /** All of the response, where it is here: then it is cheaper than {@link body}, which need not be read. */
  readonly whole: Buffer | undefined;
  /** The host's bytes as a stream. Breaks with `stream_interrupted` or `client_closed_request`. */
  readonly body: HostResponseBody;
  /** The events of the same body, where it is a stream: whoever takes them leaves the body alone. */
  readonly stream?: HostStream | undefined;
  /** How many attempts were made, at whatever hosts, this one included. */
  readonly attempts: number;
  /** The configured name or glob of the route; none where every host was a candidate. */
  readonly route: string | undefined;
  /** The model that answered, as it was asked for there. */
  readonly model: string | undefined;
  /** Whether the configuration or the host's list names it; else it is whatever a caller typed. */
  readonly isModelNamed: boolean;
  /** The host's own id of the request. */
  readonly upstreamRequestId: string | undefined;
  /** Takes what the response cost in tokens, where the host has a limit of them: until then an estimate counts. */
  readonly settleTokens?: BegunAttempt['settleTokens'];
}

/** Makes the body when somebody asks for it: most callers take `whole` or `stream`. */
class LazyResponse implements HostResponse {
  readonly host: string;
  readonly status: number;
  readonly headers: string[];
  readonly contentType: string | undefined;
  readonly whole: Buffer | undefined;
  readonly stream: HostStream | undefined;
  readonly attempts: number;
  readonly route: string | undefined;
  readonly model: string | undefined;
  readonly isModelNamed: boolean;
  readonly upstreamRequestId: string | undefined;
  readonly settleTokens: BegunAttempt['settleTokens'];
  #body: HostResponseBody | undefined;

  constructor(
    { target, request, route, attempts, settleTokens }: ResponseOrigin,
    head: Pick<HostResponse, 'status' | 'headers' | 'contentType' | 'upstreamRequestId'>,
    { whole, stream, body }: Omit<Content, 'kind'>,
  ) {
    const model = target.modelFor(request.facts.model);
    const isConfigured = target.model !== undefined || (model !== undefined && model === route.name);
    this.host = target.host.name;
    this.status = head.status;
    this.headers = head.headers;
    this.contentType = head.contentType;
    this.whole = whole;
    this.stream = stream;
    this.attempts = attempts.length + (request.earlierAttempts ?? 0);
    this.route = route.name;
    this.model = model;
    this.isModelNamed = isConfigured || (model !== undefined && target.host.models.names(model));
    this.upstreamRequestId = head.upstreamRequestId;
    this.settleTokens = settleTokens;
    this.#body = body;
  }

  get body(): HostResponseBody {
    const { stream, whole = Buffer.alloc(0) } = this;
    return (this.#body ??= stream ? new StreamBody(stream) : new WholeBody(whole));
  }
}

/** Who answered which request, on which of its attempts. */
interface ResponseOrigin {
  readonly target: Target;
  readonly request: CallRequest;
  readonly route: Route;
  readonly attempts: readonly Attempt[];
  readonly settleTokens?: BegunAttempt['settleTokens'];
}

/** An attempt's response as the caller gets it. */
export function responseOf(
  { target, call, settleTokens, upstreamRequestId }: Attempt,
  content: AttemptResult & { kind: 'content' },
  { attempts, route }: Pick<ResponseOrigin, 'attempts' | 'route'>,
): HostResponse {
  const { status, headers } = content.response;
  const rawHeaders = content.response.rawHeaders.map(target.host.address.withoutSecrets);
  const type = headers['content-type'];
  // A JSON that calls itself a text, a page, bytes or nothing is none for the official clients.
  const isMislabelled = content.whole !== undefined && call.dialect.hasEnd && saysNothing(type);
  const head = {
    status,
    headers: isMislabelled ? labelledAsJson(rawHeaders) : rawHeaders,
    contentType: isMislabelled ? JSON_TYPE : type,
    upstreamRequestId,
  };
  return new LazyResponse({ target, request: call, route, attempts, settleTokens }, head, content);
}

const JSON_TYPE = 'application/json';

/** Some hosts and proxies have one type for all they send. */
function saysNothing(type = ''): boolean {
  return type === '' || /^(text\/|[a-z]+\/octet-stream)/i.test(type);
}

function labelledAsJson(headers: readonly string[]): string[] {
  const isType = (at: number) => headers[at - (at % 2)]?.toLowerCase() === 'content-type';
  return [...headers.filter((_, at) => !isType(at)), 'content-type', JSON_TYPE];
}

/** Statuses that say to clients that their own key is wrong, so that they drop it. A host means ours: callers get 403. */
const OF_KEYS: ReadonlySet<number> = new Set([401, 407]);
const FORBIDDEN = 403;

/** A host's refusal as the caller gets it. */
export function responseOfError(
  errorResponse: ErrorResponse,
  retryAfterMs: number | undefined,
  origin: ResponseOrigin,
): HostResponse {
  const { requestId: upstreamRequestId, body: whole } = errorResponse;
  const status = OF_KEYS.has(errorResponse.status) ? FORBIDDEN : errorResponse.status;
  const headers = errorResponse.headersWith(retryAfterMs);
  const at = headers.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'content-type');
  const contentType = at < 0 ? undefined : headers[at + 1];
  return new LazyResponse(origin, { status, headers, contentType, upstreamRequestId }, { whole });
}
