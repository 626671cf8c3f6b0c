import { AppError } from '@morgan/foundation';
import type { JsonObject } from '../reported-error.ts';

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

/** Refuses what nobody here reads, so that nothing is dropped without a word. @param path with its dot at the end. */
export function refuseOthers(fields: JsonObject, known: ReadonlySet<string>, path: string): void {
  for (const [name, value] of Object.entries(fields))
    if (!known.has(name) && value !== undefined && value !== null) throw cannotTranslate(path + name);
}
