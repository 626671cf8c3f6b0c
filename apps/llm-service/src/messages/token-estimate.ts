import type { DistributedLlmClient, HostRequest, HostResponse } from '@morgan/distributed-llm';
import { WholeBody } from '@morgan/llm-protocol';
import { CHAT_PATH, JSON_HEADERS, MESSAGES_PATH } from './message-translation.ts';
import { GATEWAY_HOST } from '../exchange/write-head.ts';

const COUNT_PATH = `${MESSAGES_PATH}/count_tokens`;

/** Whether nobody counts the tokens of a message, as far as is known, though a host of its model would answer it. */
export function mustEstimate(
  { path, request }: { readonly path: string; readonly request: Pick<HostRequest, 'model'> },
  llm: DistributedLlmClient,
): boolean {
  if (path !== COUNT_PATH) return false;
  const route = llm.routeOf(request.model);
  return !route.serves(path) && (route.serves(MESSAGES_PATH) || route.serves(CHAT_PATH));
}

/**
 * Whether what the hosts that may count have said is no reason to leave a message uncounted: another one of its model would
 * answer it, and counts nothing.
 */
export function mayEstimate(
  { path, request }: { readonly path: string; readonly request: Pick<HostRequest, 'model'> },
  llm: DistributedLlmClient,
): boolean {
  if (path !== COUNT_PATH) return false;
  const route = llm.routeOf(request.model);
  const counting = route.servedBy(path);
  return [MESSAGES_PATH, CHAT_PATH].some((other) =>
    route.servedBy(other).some((name) => !counting.includes(name)),
  );
}

/** The gateway's own answer where no host counts: clients ask before each turn, and guess by themselves without one. */
export function estimateResponse(tokens: number): HostResponse {
  const whole = Buffer.from(JSON.stringify({ input_tokens: tokens }));
  return {
    host: GATEWAY_HOST,
    status: 200,
    headers: JSON_HEADERS,
    contentType: JSON_HEADERS[1],
    whole,
    body: new WholeBody(whole),
    attempts: 1,
    route: undefined,
    model: undefined,
    isModelNamed: false,
    upstreamRequestId: undefined,
  };
}
