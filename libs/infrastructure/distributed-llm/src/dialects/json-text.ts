const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_OBJECT, OPEN_LIST, CLOSE_OBJECT, CLOSE_LIST] = [0x7b, 0x5b, 0x7d, 0x5d];
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
