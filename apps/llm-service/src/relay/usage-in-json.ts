import type { Dialect, TokenUsage } from '@morgan/llm-protocol';

const KEY = '"usage"';
const OPENING = '{'.charCodeAt(0);
const CLOSING = '}'.charCodeAt(0);
/** No counts are longer. */
const LONGEST = 4_096;

/** The token counts of a JSON response, found from its end: nothing else of it is parsed. */
export function usageInJson(dialect: Dialect, bytes: Buffer): TokenUsage | undefined {
  const at = bytes.lastIndexOf(KEY);
  if (at < 0) return undefined;
  const text = bytes.toString('utf8', at + KEY.length, at + LONGEST);
  const end = endOfObject(text);
  if (end === undefined) return undefined;
  try {
    return dialect.readBody({ usage: JSON.parse(text.slice(text.indexOf('{'), end)) }).usage;
  } catch {
    // An object of that name that is no JSON by itself has no counts that could be read.
    return undefined;
  }
}

function endOfObject(text: string): number | undefined {
  if (!/^\s*:\s*\{/.test(text)) return undefined;
  let depth = 0;
  for (let at = text.indexOf('{'); at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === OPENING) depth += 1;
    else if (code === CLOSING && (depth -= 1) === 0) return at + 1;
  }
  return undefined;
}
