import { AppError, type CallContext, Deadline } from '@morgan/foundation';
import { type BodyFacts, dialectOf, readBodyFacts } from '@morgan/llm-protocol';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';
import { restrictedTo, type Route, type RouteTable } from '../routing/route-table.ts';
import { loadBalancingStrategy } from '../strategies/create-strategy.ts';
import { sessionKeyOf, type SessionTraits } from '../strategies/session-key.ts';
import { LIMIT_HEADERS, limitsOf, saidMs } from '../attempt/call-limits.ts';
import type { CallTraits } from '../strategies/strategy.ts';
import type { CallInput } from './call-parts.ts';
import type { HostRequest } from './host-request.ts';

/** The caller's own name for a conversation. */
const SESSION_HEADER = 'x-session-id';
/** The caller's choice of a strategy, where that is allowed. */
const STRATEGY_HEADER = 'x-morgan-strategy';

/** Headers of ours that a call is made by, each with whether a value says something. A strategy that is none is refused. */
export const CALL_HEADERS: Readonly<Record<string, (value: string) => boolean>> = {
  ...Object.fromEntries(
    Object.values(LIMIT_HEADERS).map((name) => [name, (value) => saidMs(value) !== undefined]),
  ),
  [STRATEGY_HEADER]: () => true,
};

/** Bytes of a form that are counted as one token. */
const TOKEN_BYTES = 4;

/**
 * What a request needs to be routed by: read once, from as little of the body as will do.
 * @throws AppError `invalid_value` or `strategy_not_allowed` where the caller chooses a strategy that is not to be had.
 */
export function prepareCall(
  {
    method,
    path,
    headers,
    body,
    upload,
    model,
    stream,
    choices,
    asksUsage,
    only,
    facts,
    log,
    ...before
  }: HostRequest,
  { id, deadline }: CallContext,
  { config, routes }: { readonly config: DistributedLlmConfig; readonly routes: RouteTable },
): CallInput {
  const read = facts && facts.body === body ? facts : body && readBodyFacts(body);
  const asked = model ?? read?.model;
  const found = chosenBy(headers[STRATEGY_HEADER], routes.find(asked));
  const route = only ? restrictedTo(found, only) : found;
  const [barePath = path] = path.split('?', 1);
  const bytes = body?.length ?? upload?.length ?? 0;
  const tokens = read?.promptTokens ?? Math.ceil(bytes / TOKEN_BYTES);
  return {
    route,
    log,
    request: {
      id,
      method,
      path,
      headers,
      body,
      upload,
      deadline: deadlineOf(route, deadline),
      facts: { path: barePath, bytes, tokens, model: asked, needs: read && (() => read.needs()) },
      modelAt: read?.modelAt,
      streamOptionsAt: read?.streamOptionsAt,
      dialect: dialectOf(barePath, body),
      isStream: stream ?? read?.stream ?? false,
      asksUsage: asksUsage ?? false,
      choices: choices ?? 1,
      limits: limitsOf(config, route, headers),
      ...before,
    },
    traits: new RequestTraits(tokens, { headers, read, model: asked }),
  };
}

/** The caller's, or that of the route where it is nearer. */
function deadlineOf({ totalTimeoutMs }: Route, deadline: CallContext['deadline']): CallContext['deadline'] {
  return totalTimeoutMs === undefined ? deadline : Deadline.nearest(deadline, Deadline.after(totalTimeoutMs));
}

interface SessionParts {
  readonly headers: HostRequest['headers'];
  readonly read: BodyFacts | undefined;
  readonly model: string | undefined;
}

class RequestTraits implements CallTraits {
  constructor(
    readonly promptTokens: number,
    private readonly parts: SessionParts,
  ) {}

  get model(): string | undefined {
    return this.parts.model;
  }

  get namesSession(): boolean {
    return Boolean(this.parts.headers[SESSION_HEADER]);
  }

  /** Hashed when a strategy asks for it: most calls have nothing to choose, or a short prompt. */
  get sessionKey(): string | undefined {
    const { headers, read, model } = this.parts;
    return sessionKeyOf(sessionTraitsOf(headers, read, model));
  }
}

/** What may name the conversation that a request belongs to. */
export function sessionTraitsOf(
  headers: HostRequest['headers'],
  read: BodyFacts | undefined,
  model: string | undefined,
): SessionTraits {
  const session = headers[SESSION_HEADER];
  return {
    header: typeof session === 'string' ? session : undefined,
    promptCacheKey: read?.promptCacheKey,
    user: read?.user,
    model,
    start: read?.start,
  };
}

function chosenBy(wish: HostRequest['headers'][string], route: Route): Route {
  if (wish === undefined) return route;
  const { variants } = route;
  const strategy = String(wish);
  const found = variants.get(strategy);
  if (found) return found;
  const names = loadBalancingStrategy.options;
  const isKnown = names.some((name) => name === strategy);
  if (!isKnown)
    throw new AppError('invalid_value', `The strategy must be one of ${names.join(', ')}.`, {
      param: STRATEGY_HEADER,
    });
  const allowed = variants.size === 0 ? 'none is' : `allowed: ${[...variants.keys()].join(', ')}`;
  throw new AppError('strategy_not_allowed', `The strategy is not allowed for this model; ${allowed}.`, {
    param: STRATEGY_HEADER,
  });
}
