/** Deep enough for any chain of causes that means something. */
const MAX_CAUSES = 8;
const MAX_TEXT = 8_192;

/** What cannot be read of an error, because a getter or a proxy throws. */
const UNREADABLE = '[unreadable]';

/**
 * Name, code, message, stack and causes; never further properties, which may hold a request. Takes whatever was thrown:
 * causes in a ring, endless texts, getters that throw.
 */
export function describeError(error: unknown): unknown {
  return describe(error, new Set());
}

function describe(error: unknown, seen: Set<unknown>): unknown {
  if (!isError(error)) return error;
  if (seen.has(error) || seen.size === MAX_CAUSES) return '[further causes]';
  seen.add(error);
  const code = read(error, 'code');
  const cause = read(error, 'cause');
  return {
    name: text(read(error, 'name')),
    message: text(read(error, 'message')),
    ...(code === undefined ? {} : { code: typeof code === 'number' ? code : text(code) }),
    stack: text(read(error, 'stack')),
    ...(cause === undefined ? {} : { cause: describe(cause, seen) }),
  };
}

/** A fault that was expected and dealt with, in one line: what, and what lay behind it. */
export function summariseError(error: unknown): unknown {
  if (!isError(error)) return error;
  const seen = new Set<unknown>();
  const parts: string[] = [];
  for (let current: unknown = error; isError(current); current = read(current, 'cause')) {
    if (seen.has(current) || seen.size === MAX_CAUSES) {
      parts.push('[further causes]');
      break;
    }
    seen.add(current);
    parts.push(`${text(read(current, 'name'))}: ${text(read(current, 'message'))}`);
  }
  return parts.join(' <- ');
}

function isError(value: unknown): value is object {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function read(error: object, property: string): unknown {
  try {
    return (error as Record<string, unknown>)[property];
  } catch {
    return UNREADABLE;
  }
}

function text(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') return UNREADABLE;
  return value.length <= MAX_TEXT ? value : `${value.slice(0, MAX_TEXT)}…`;
}
