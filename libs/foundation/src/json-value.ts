/** A value of JSON.parse that is an object and no list. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether it is an object of JSON and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is a text that is not empty. */
export function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The JSON that a text is; undefined where it is none. */
export function jsonOrNone(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The text of a JSON; empty for one that is nested too deep to be written again. */
export function written(value: JsonObject): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '';
  }
}
