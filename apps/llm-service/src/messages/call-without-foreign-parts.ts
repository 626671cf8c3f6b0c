import { BodyFacts, refusesForeignParts } from '@morgan/llm-protocol';
import type { ResponseRoom } from '../exchange/held-response.ts';
import { asBuffer } from './message-body.ts';
import type { MessageReader } from './message-reader.ts';
import { CHAT_PATH, MESSAGES_PATH } from './message-translation.ts';
import type { OutboundCall } from '../exchange/outbound-call.ts';

/** Paths at which clients send a conversation back with its thoughts. */
const PATHS: ReadonlySet<string> = new Set([
  CHAT_PATH,
  MESSAGES_PATH,
  `${MESSAGES_PATH}/count_tokens`,
  '/responses',
]);

/** What its body is changed with. */
interface RetryParts {
  readonly reader: MessageReader;
  /** The body is held twice until the response is over. */
  readonly room: ResponseRoom;
}

/**
 * A call that has failed, without what was thought at another host, where one of its hosts has refused that: the other may be gone.
 * @returns undefined where they have refused something else, or nothing can be taken out.
 */
export async function callWithoutForeignParts(
  call: OutboundCall,
  { reader, room }: RetryParts,
): Promise<OutboundCall | undefined> {
  const { body, facts, log } = call.request;
  if (!body || !PATHS.has(call.path)) return undefined;
  const error = log.errors.findLast(refusesForeignParts);
  if (!error) return undefined;
  room.grow(0);
  const retry = await reader.withoutForeignParts(body, error);
  if (!retry) return undefined;
  const bytes = asBuffer(retry.bytes);
  const content = facts && { promptTokens: facts.promptTokens, vision: facts.needs().vision };
  return {
    ...call,
    request: {
      ...call.request,
      body: bytes,
      facts: new BodyFacts(bytes, (field) => retry.fields.get(field), content),
    },
  };
}
