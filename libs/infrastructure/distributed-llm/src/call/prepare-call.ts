import { type CallContext, Deadline } from '@morgan/foundation';
import type { DistributedLlmConfig } from '../client/distributed-llm.config.ts';
import type { HostRequest } from '../client/distributed-llm.client.ts';
import { dialectOf } from '../dialects/dialect-of.ts';
import { type BodyFacts, readBodyFacts } from '../routing/body-facts.ts';
import { restrictedTo, type RouteTable } from '../routing/route-table.ts';
import { sessionKeyOf } from '../strategies/session-key.ts';
import { limitsOf } from './call-limits.ts';
import type { CallInput } from './call-parts.ts';

/** The caller's own name for a conversation. */
const SESSION_HEADER = 'x-session-id';
const TOKEN_BYTES = 4;

/** What a request needs to be routed by: read once, from as little of the body as will do. */
export function prepareCall(
  { method, path, headers, body, upload, model, stream, choices, asksUsage, only }: HostRequest,
  { id, deadline }: CallContext,
  { config, routes }: { readonly config: DistributedLlmConfig; readonly routes: RouteTable },
): CallInput {
  const read: BodyFacts | undefined = body && readBodyFacts(body);
  const asked = model ?? read?.model;
  const found = routes.find(asked);
  const route = only ? restrictedTo(found, only) : found;
  const [barePath = path] = path.split('?', 1);
  const bytes = body?.length ?? upload?.length ?? 0;
  const { totalTimeoutMs } = route;
  const session = headers[SESSION_HEADER];
  return {
    route,
    request: {
      id,
      method,
      path,
      headers,
      body,
      upload,
      deadline:
        totalTimeoutMs === undefined ? deadline : Deadline.nearest(deadline, Deadline.after(totalTimeoutMs)),
      facts: { path: barePath, bytes, model: asked, needs: read?.needs },
      modelAt: read?.modelAt,
      dialect: dialectOf(barePath),
      isStream: stream ?? read?.stream ?? false,
      asksUsage: asksUsage ?? false,
      choices: choices ?? 1,
      limits: limitsOf(config, route, headers),
    },
    traits: {
      promptTokens: Math.ceil(bytes / TOKEN_BYTES),
      // Hashed when a strategy asks for it: most calls have nothing to choose, or a short prompt.
      get sessionKey() {
        return sessionKeyOf({
          header: typeof session === 'string' ? session : undefined,
          promptCacheKey: read?.promptCacheKey,
          user: read?.user,
          model: asked,
          systemPrompt: read?.start,
        });
      },
    },
  };
}
