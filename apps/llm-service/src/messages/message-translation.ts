import type { DistributedLlmClient, HostRequest, HostResponse, RouteReading } from '@morgan/distributed-llm';
import type { JsonObject } from '@morgan/foundation';
import type { ReportedError } from '@morgan/host-errors';
import {
  BodyFacts,
  type ContinuationStyle,
  type Dialect,
  dialectOf,
  readBody,
  WholeBody,
} from '@morgan/llm-protocol';
import { type ResponseRoom, heldResponse } from '../exchange/held-response.ts';
import { asBuffer, type AskedModel } from './message-body.ts';
import type { MessageReader } from './message-reader.ts';
import type { OutboundCall } from '../exchange/outbound-call.ts';

/** What a message is asked as where no host knows messages. */
export const CHAT_PATH = '/chat/completions';
export const MESSAGES_PATH = '/messages';
export const JSON_HEADERS = ['content-type', 'application/json; charset=utf-8'];
export const NOTHING = Buffer.from('{}');
const UNKNOWN_PATH: ReadonlySet<number> = new Set([404, 405, 501]);

/** Whether a message has to become a chat completion: no host of the model has Anthropic's API, as far as is known. */
export function mustTranslate(
  { path, request }: { readonly path: string; readonly request: Pick<HostRequest, 'model'> },
  llm: DistributedLlmClient,
): boolean {
  if (path !== MESSAGES_PATH) return false;
  const route = llm.routeOf(request.model);
  return !route.serves(path) && route.serves(CHAT_PATH);
}

/** The hosts of a message's model that can be asked for it as a chat completion only, as far as is known. */
export function chatHostsOf(
  { path, request }: { readonly path: string; readonly request: Pick<HostRequest, 'model'> },
  llm: DistributedLlmClient,
): readonly string[] {
  if (path !== MESSAGES_PATH) return [];
  const route = llm.routeOf(request.model);
  const others = route.servedBy(path);
  return route.servedBy(CHAT_PATH).filter((name) => !others.includes(name));
}

/** Whether a host may have said that it does not know the path. */
export function isUnknownPath({ status }: HostResponse): boolean {
  return UNKNOWN_PATH.has(status);
}

/** A message as a chat completion, and what of it has to be known to tell its response. */
export interface ChatCall extends OutboundCall {
  readonly message: JsonObject;
}

/**
 * How all hosts of a model go on with a response that has begun; none where they differ, or it is not known.
 * @param only the names of those that may be asked. Default all.
 */
export function continuationOf(
  { hosts }: RouteReading,
  only?: readonly string[],
): ContinuationStyle | undefined {
  const able = only ? hosts.filter(({ name }) => only.includes(name)) : hosts;
  const [first, ...others] = able.map(({ continuation }) => continuation);
  return others.every((other) => other === first) ? first : undefined;
}

/** @throws AppError about what there is no counterpart for. */
export async function asChatCall(
  call: OutboundCall,
  asked: AskedModel,
  reader: MessageReader,
): Promise<ChatCall> {
  const { bytes, fields, content, message } = await reader.chat(call.request.body ?? NOTHING, asked);
  const body = asBuffer(bytes);
  return {
    ...call,
    path: CHAT_PATH,
    dialect: dialectOf(CHAT_PATH),
    message,
    request: {
      ...call.request,
      path: CHAT_PATH,
      body,
      facts: new BodyFacts(body, (field) => fields.get(field), content),
      // Anthropic's clients are always told what a message cost.
      asksUsage: call.isStream,
    },
  };
}

/** What the response to a chat completion is translated with. */
interface ResponseTranslation {
  /** Of the caller. */
  readonly dialect: Dialect;
  /** What was asked, as far as the response depends on it. */
  readonly message: JsonObject;
  readonly reader: MessageReader;
  readonly room: ResponseRoom;
}

/**
 * The response to a chat completion as the one to a message, a refusal included.
 * @throws AppError `host_error` where it is none, or too long; `overloaded` where there is no room for it.
 */
export async function messageResponse(
  response: HostResponse,
  { dialect, message, reader, room }: ResponseTranslation,
): Promise<HostResponse> {
  const { status } = response;
  const bytes = await heldResponse(response, room);
  const whole =
    status < 400
      ? asBuffer(await reader.response(bytes, message))
      : Buffer.from(JSON.stringify(dialect.errorBody({ ...errorIn(bytes), status })));
  const headers = response.headers.filter((_, at, all) => !/^content-/i.test(all[at - (at % 2)] as string));
  return {
    ...response,
    headers: [...headers, ...JSON_HEADERS],
    contentType: JSON_HEADERS[1],
    whole,
    body: new WholeBody(whole),
  };
}

function errorIn(bytes: Buffer): ReportedError {
  return readBody(dialectOf(CHAT_PATH), bytes)?.error ?? UNKNOWN_ERROR;
}

const UNKNOWN_ERROR: ReportedError = {
  status: undefined,
  type: undefined,
  code: undefined,
  message: 'The host reported an error without a message.',
};
