import { AppError, isObject, type JsonObject } from '@morgan/foundation';

/** The refusal of a field that chat completions have nothing for. @param param its path, like `messages[2].content[0]`. */
export function cannotTranslate(param: string, what = 'This field'): AppError {
  return new AppError(
    'invalid_value',
    `'${param}': ${what} cannot be carried over to a host that speaks chat completions only.`,
    { param },
  );
}

/** The refusal of a value that Anthropic's API would refuse too. */
export function invalidField(param: string, expected: string): AppError {
  return new AppError('invalid_type', `'${param}' must be ${expected}.`, { param });
}

/** Whether a field says something. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** A text. @throws AppError `invalid_type` where it is none. */
export function textAt(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw invalidField(path, 'a text');
}

/** An object, which may be left out: then it is an empty one. @throws AppError `invalid_type` about anything else. */
export function fieldsAt(value: unknown, path: string): JsonObject {
  if (!isGiven(value)) return {};
  if (isObject(value)) return value;
  throw invalidField(path, 'an object');
}

/** Whether something is so, which may be left out. @throws AppError `invalid_type` about anything else. */
export function flagAt(value: unknown, path: string): boolean {
  if (!isGiven(value)) return false;
  if (typeof value === 'boolean') return value;
  throw invalidField(path, 'true or false');
}

/** Refuses what nobody here reads and that says something, so that nothing is dropped without a word. @param path with its dot at the end. */
export function refuseOthers(fields: JsonObject, known: ReadonlySet<string>, path: string): void {
  for (const [name, value] of Object.entries(fields)) {
    const isEmpty = !isGiven(value) || (Array.isArray(value) && value.length === 0);
    if (!known.has(name) && !isEmpty) throw cannotTranslate(path + name);
  }
}
