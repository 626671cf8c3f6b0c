import { AppError } from '@morgan/foundation';
import { emptyList, emptyText, missing, notOnce, wrongType } from './body-fault.ts';
import type { RequestOutline } from './request-outline.ts';

/** Longest name of a model, in characters. */
export const MAX_MODEL_LENGTH = 256;

/** No name of that many characters is longer, however it is written. */
const MAX_MODEL_BYTES = MAX_MODEL_LENGTH * 6;

/** Slashes in a row count as one: a chat with a model of no name would be a text completion by a model that is called `chat`. */
const NAMELESS = /^[^?]*\/deployments\/{2,}chat\/+completions/;

/** @throws AppError about the first field of a chat completion that is wrong */
export function checkChatCompletion(outline: RequestOutline | undefined): asserts outline {
  checkObject(outline);
  checkModel(outline);
  const { messages } = outline.parts;
  if (!messages) throw wrongType('messages', 'array', outline.kindOf('messages'));
  if (messages.count === 0) throw emptyList('messages');
  if (messages.fault) throw messages.fault;
  checkStream(outline);
}

/** @throws AppError about the first field of a text completion that is wrong */
export function checkCompletion(outline: RequestOutline | undefined): asserts outline {
  checkObject(outline);
  checkModel(outline);
  const { prompt } = outline.parts;
  const kind = outline.kindOf('prompt');
  if (!prompt && kind !== 'string') throw wrongType('prompt', 'string or array', kind);
  if (prompt?.count === 0) throw emptyList('prompt');
  if (prompt?.fault) throw prompt.fault;
  checkStream(outline);
}

/** What a host checks itself is left to it: only what routing goes by has to be right. @throws AppError */
export function checkPassedThrough(outline: RequestOutline | undefined): asserts outline {
  checkObject(outline);
  if (outline.has('model')) checkModel(outline);
  checkStream(outline);
}

/** The embedding-service checks the rest: the gateway would only do it twice. @throws AppError */
export function checkEmbedding(outline: RequestOutline | undefined): asserts outline {
  checkObject(outline);
  if (outline.kindOf('model') !== undefined) checkModel(outline);
  if (outline.kindOf('input') === undefined) throw missing('input');
}

function checkObject(outline: RequestOutline | undefined): asserts outline {
  if (!outline?.parts.isObject)
    throw new AppError('missing_body', 'The request needs a JSON object as its body.');
  const { ambiguous } = outline.parts;
  if (ambiguous !== undefined) throw notOnce(ambiguous);
}

/**
 * The name of a model that stands in the path; undefined where the path has no room for one.
 * @throws AppError `empty_string`, `invalid_value`
 */
export function checkDeployment(url: string, name: string | undefined): void {
  if (name === undefined) return;
  if (NAMELESS.test(url)) throw emptyText('model');
  if (name.length > MAX_MODEL_LENGTH) throw modelTooLong();
}

function checkModel(outline: RequestOutline): void {
  const span = outline.spanOf('model');
  if (span?.kind !== 'string') throw wrongType('model', 'string', span?.kind);
  if (span.start === span.end) throw emptyText('model');
  const isTooLong =
    span.end - span.start > MAX_MODEL_BYTES || (outline.model ?? '').length > MAX_MODEL_LENGTH;
  if (isTooLong) throw modelTooLong();
}

function modelTooLong(): AppError {
  const message = `Invalid 'model': at most ${MAX_MODEL_LENGTH} characters are allowed.`;
  return new AppError('invalid_value', message, { param: 'model' });
}

function checkStream(outline: RequestOutline): void {
  const kind = outline.kindOf('stream');
  if (kind !== undefined && kind !== 'true' && kind !== 'false' && kind !== 'null')
    throw wrongType('stream', 'boolean', kind);
}
