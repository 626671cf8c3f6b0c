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

/** Counts are plain JSON, but their errors are Anthropic's. */
const countTokensDialect: Dialect = {
  ...plainDialect,
  errorBody: (error) => messagesDialect.errorBody(error),
  isErrorBody: (body) => messagesDialect.isErrorBody(body),
};

const KEPT_PATH = '/responses/';

/** A JSON without vectors is no answer, and may be an error in a form of its own. */
const embeddingsDialect: Dialect = { ...plainDialect, answerKey: 'data', objectName: 'list' };
/** What asks for no vectors is short. */
const NO_INPUT = /"input"\s*:\s*\[\s*\]/;
const LONGEST_WITHOUT_INPUT = 1024;

const transcriptDialect: Dialect = { ...plainDialect, isTranscript: true };

/** Whoever asks for documents in an order sends some. */
const rankingDialect: Dialect = {
  ...plainDialect,
  isNothing: (json) => Object.keys(json).length === 0 || (json['results'] ?? json['data']) === null,
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
  isNothing: (json) =>
    Object.keys(json).length === 0 || json['results'] === null || isEmptyList(json['results']),
};

/** What a filter took says so. */
const imagesDialect: Dialect = {
  ...plainDialect,
  isNothing: (json) =>
    !isFiltered(json) &&
    (Object.keys(json).length === 0 || json['data'] === null || isEmptyList(json['data'])),
};

const BY_PATH: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ['/chat/completions', chatDialect],
  ['/completions', completionsDialect],
  ['/responses', responsesDialect],
  // Beside what hosts keep, which has no other names.
  ['/responses/input_tokens', plainDialect],
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

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function asksNothing(body: Buffer): boolean {
  return body.length <= LONGEST_WITHOUT_INPUT && NO_INPUT.test(body.toString());
}
