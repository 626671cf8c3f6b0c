import { isObject, type JsonObject } from '@morgan/foundation';
import { chatDialect } from './chat.dialect.ts';
import { completionsDialect } from './completions.dialect.ts';
import type { Dialect, DialectName } from './dialect.ts';
import { isFiltered } from './event-reader.ts';
import { keptDialect } from './kept.dialect.ts';
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

/** A count of tokens. */
const countingDialect: Dialect = {
  ...plainDialect,
  isJson: true,
  isNothing: (json) => isBare(json) || json['input_tokens'] === null,
};

/** The same with Anthropic's errors. */
const countTokensDialect: Dialect = {
  ...countingDialect,
  errorBody: (error) => messagesDialect.errorBody(error),
  isErrorBody: (body) => messagesDialect.isErrorBody(body),
};

const KEPT_PATH = '/responses/';

/** A JSON without vectors is no answer, and may be an error in a form of its own. */
const embeddingsDialect: Dialect = {
  ...plainDialect,
  resultKey: 'data',
  objectName: 'list',
  isJson: true,
  gap: /[[,]\s*(null|-?NaN|-?Infinity)\b|"embedding"\s*:\s*null\b/,
};
/** What asks for no vectors is short. */
const NO_INPUT = /"input"\s*:\s*\[\s*\]/;
const LONGEST_WITHOUT_INPUT = 1024;

const transcriptDialect: Dialect = {
  ...plainDialect,
  isTranscript: true,
  isNothing: (json) => isBare(json) || json['text'] === null,
};

/** Whoever asks for documents in an order sends some. */
const rankingDialect: Dialect = {
  ...plainDialect,
  isJson: true,
  gap: /"(relevance_)?score"\s*:\s*(null|-?NaN|-?Infinity)\b/,
  isNothing: (json) => isBare(json) || (json['results'] ?? json['data']) === null,
};

/** Cohere's clients read a message beside what OpenAI's read; some of them show nothing else. */
const cohereRankingDialect: Dialect = {
  ...rankingDialect,
  errorBody: (error) => ({ message: error.message ?? '', ...plainDialect.errorBody(error) }),
  isErrorBody: ({ message }) => typeof message === 'string',
};

/** Without a verdict a text would pass for harmless. */
const moderationsDialect: Dialect = {
  ...plainDialect,
  isJson: true,
  isNothing: (json) => isBare(json) || json['results'] === null || isEmptyList(json['results']),
};

/** What a filter took says so. */
const imagesDialect: Dialect = {
  ...plainDialect,
  isNothing: (json) =>
    !isFiltered(json) && (isBare(json) || json['data'] === null || holdsNothing(json['data'])),
};

const BY_PATH: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ['/chat/completions', chatDialect],
  ['/completions', completionsDialect],
  ['/responses', responsesDialect],
  // Beside what hosts keep, which has no other names.
  ['/responses/input_tokens', countingDialect],
  ['/responses/compact', plainDialect],
  ['/messages', messagesDialect],
  ['/messages/count_tokens', countTokensDialect],
  ['/embeddings', embeddingsDialect],
  ...['/rerank', '/../rerank', '/score', '/../score'].map((path) => [path, rankingDialect] as const),
  ['/moderations', moderationsDialect],
  ...['generations', 'edits', 'variations'].map((kind) => [`/images/${kind}`, imagesDialect] as const),
  ['/../v2/rerank', cohereRankingDialect],
  ['/audio/transcriptions', transcriptDialect],
  ['/audio/translations', transcriptDialect],
]);

/** Where a request is only measured, in tokens. */
const COUNTING: ReadonlySet<string> = new Set([
  '/messages/count_tokens',
  '/responses/input_tokens',
  ...['/tokenize', '/detokenize'].flatMap((path) => [path, `/..${path}`]),
]);

/** Whether only tokens are counted at a path below a host's base URL, without its query. */
export function countsTokens(path: string): boolean {
  return COUNTING.has(path);
}

/** The dialect of a path below a host's base URL, without its query. */
export function dialectOf(path: string, body?: Buffer): Dialect {
  const dialect = BY_PATH.get(path) ?? (path.startsWith(KEPT_PATH) ? keptDialect : plainDialect);
  return dialect === embeddingsDialect && body && asksNothing(body) ? plainDialect : dialect;
}

/** What a queue says that has taken the call, and a health check that answers on every path. */
const OF_STATE = /^(status|message|service|version|model|object|created)$|id$|time/i;

/** Whether there is nothing in it, or a state and nothing else. */
function isBare(json: JsonObject): boolean {
  const keys = Object.keys(json);
  return keys.length === 0 || (typeof json['status'] === 'string' && keys.every((key) => OF_STATE.test(key)));
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Whether it is a list of which no item has anything in it. */
function holdsNothing(value: unknown): boolean {
  const isBlank = (each: unknown) => each === null || each === undefined || each === '';
  return (
    Array.isArray(value) &&
    value.every((item) => (isObject(item) ? Object.values(item).every(isBlank) : isBlank(item)))
  );
}

function asksNothing(body: Buffer): boolean {
  return body.length <= LONGEST_WITHOUT_INPUT && NO_INPUT.test(body.toString());
}
