const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST] = [0x7b, 0x5b, 0x7d, 0x5d];
/** As Python writes numbers that JSON has no word for. */
const NO_NUMBER = /-?\b(?:NaN|Infinity)\b/g;
const ONLY_SPACE = /^[ \t\n\r]*$/;

/**
 * Whether an object or list ends where the text does: one that is cut has brackets left open, though its last character may be
 * one that closes. Texts, which are nearly all of a response, are skipped natively.
 * @param text UTF-8 may be given as Latin-1, in which all that is looked for is the same
 */
export function isClosed(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = closingQuote(text, at);
      if (at < 0) return false;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if ((code === CLOSE_OBJECT || code === CLOSE_LIST) && (depth -= 1) === 0)
      return at === text.length - 1 || ONLY_SPACE.test(text.slice(at + 1));
  }
  return false;
}

/** Whether what stands behind the text belongs to the object that it begins with, and to no other within. */
export function isOfFirst(begun: string): boolean {
  let depth = 0;
  for (let at = 0; at < begun.length; at += 1) {
    const code = begun.charCodeAt(at);
    if (code === QUOTE) {
      at = closingQuote(begun, at);
      if (at < 0) return false;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
  }
  return depth === 1;
}

/** The text with `null` for each `NaN` and `Infinity` outside of its texts: only Python's own parser reads those. */
export function withoutNaN(json: string): string {
  if (json.search(NO_NUMBER) < 0) return json;
  let told = '';
  for (let at = 0; at < json.length;) {
    const quote = json.indexOf('"', at);
    const closing = quote < 0 ? -1 : closingQuote(json, quote);
    const end = closing < 0 ? json.length : closing + 1;
    told += json.slice(at, quote < 0 ? end : quote).replace(NO_NUMBER, 'null');
    if (quote >= 0) told += json.slice(quote, end);
    at = end;
  }
  return told;
}

function closingQuote(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1);
  while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at;
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}
