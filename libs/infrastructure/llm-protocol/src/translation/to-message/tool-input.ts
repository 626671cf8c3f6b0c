import { AppError, isObject, type JsonObject } from '@morgan/foundation';
import { parseExactly } from '../../json/exact-json.ts';
import { withEscapes } from '../../json/json-end.ts';

/**
 * What a tool is called with, which is an object for Anthropic: some hosts have `null` or nothing for no arguments, and
 * some write the JSON of an object as a text in JSON.
 * @throws AppError `host_error` where it is none.
 */
export function inputIn(text: string): JsonObject {
  const given = parsed(text);
  const input = (typeof given === 'string' ? parsed(given) : given) ?? {};
  if (isObject(input)) return input;
  throw notJson();
}

function parsed(text: string): unknown {
  try {
    return text.trim() === '' ? {} : parseExactly(withEscapes(text));
  } catch (cause) {
    throw notJson(cause);
  }
}

function notJson(cause?: unknown): AppError {
  return new AppError('host_error', 'The host called a tool with arguments that are not JSON.', { cause });
}
