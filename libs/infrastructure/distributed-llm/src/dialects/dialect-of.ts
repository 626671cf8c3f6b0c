import { chatDialect } from './chat.dialect.ts';
import { completionsDialect } from './completions.dialect.ts';
import type { Dialect, DialectName } from './dialect.ts';
import { messagesDialect } from './messages.dialect.ts';
import { plainDialect } from './plain.dialect.ts';
import { responsesDialect } from './responses.dialect.ts';

/** The dialects by name. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  chat: chatDialect,
  completions: completionsDialect,
  responses: responsesDialect,
  messages: messagesDialect,
  plain: plainDialect,
};

const BY_PATH: ReadonlyMap<string, Dialect> = new Map([
  ['/chat/completions', chatDialect],
  ['/completions', completionsDialect],
  ['/responses', responsesDialect],
  ['/messages', messagesDialect],
  ['/messages/count_tokens', { ...plainDialect, ...pick(messagesDialect) }],
]);

/** What a path says of errors, whatever its answers are. */
function pick({ errorBody, isErrorBody }: Dialect): Pick<Dialect, 'errorBody' | 'isErrorBody'> {
  return { errorBody, isErrorBody };
}

/** The dialect that a path below a host's base URL speaks, without its query. */
export function dialectOf(path: string): Dialect {
  return BY_PATH.get(path) ?? plainDialect;
}
