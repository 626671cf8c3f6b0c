import { BodyFacts, type HostResponse, readBody, refusesThoughts } from '@morgan/distributed-llm';
import type { AnswerRoom } from './held-answer.ts';
import { asBuffer } from './message-body.ts';
import type { MessageReader } from './message-reader.ts';
import { MESSAGES_PATH } from './message-translation.ts';
import type { OutboundCall } from './outbound-call.ts';

/** Where a conversation is sent back with its thoughts. */
const PATHS: ReadonlySet<string> = new Set([MESSAGES_PATH, `${MESSAGES_PATH}/count_tokens`, '/responses']);

/** What a body is changed with. */
export interface BareBodyParts {
  readonly reader: MessageReader;
  /** The body is held twice until the response is over. */
  readonly room: AnswerRoom;
}

/**
 * The call once more, where its host has refused what was thought at another host.
 * @returns undefined where it has refused something else, or nothing can be taken out.
 */
export async function withoutForeignThoughts(
  call: OutboundCall,
  { status, whole }: Pick<HostResponse, 'status' | 'whole'>,
  { reader, room }: BareBodyParts,
): Promise<OutboundCall | undefined> {
  const { body, facts } = call.request;
  if (status !== 400 || !whole || !body || !PATHS.has(call.path)) return undefined;
  const error = readBody(call.dialect, whole)?.error;
  if (!error || !refusesThoughts(error)) return undefined;
  room.grow(0);
  const bare = await reader.bare(body, error);
  if (!bare) return undefined;
  const bytes = asBuffer(bare.bytes);
  const content = facts && { promptTokens: facts.promptTokens, vision: facts.needs().vision };
  return {
    ...call,
    request: {
      ...call.request,
      body: bytes,
      facts: new BodyFacts(bytes, (field) => bare.fields.get(field), content),
    },
  };
}
