/** Shorter names are near to too many others. */
const SHORTEST = 6;

/**
 * Which of these names somebody meant who wrote another one: the same but for underscores, case, a plural or `_FILE` at its
 * end, the name of this product in front, or one letter that is wrong, missing, too much or in its neighbour's place.
 */
export function nearMiss(written: string, names: readonly string[]): string | undefined {
  return near(written, names) ?? near(written.replace(/^morgan_/i, ''), names);
}

function near(written: string, names: readonly string[]): string | undefined {
  const own = plain(written);
  if (own.length < SHORTEST) return undefined;
  return (
    names.find((name) => plain(name) === own) ?? names.find((name) => isOneLetterApart(plain(name), own))
  );
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/_file$/, '')
    .replaceAll('_', '')
    .replace(/s$/, '');
}

/** The distance of Damerau and Levenshtein is 1. */
function isOneLetterApart(one: string, other: string): boolean {
  if (one.length > other.length) return isOneLetterApart(other, one);
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  if (one.length < other.length) return one.slice(at) === other.slice(at + 1);
  const isSwapped = one[at] === other[at + 1] && one[at + 1] === other[at];
  return (
    one.slice(at + 1) === other.slice(at + 1) || (isSwapped && one.slice(at + 2) === other.slice(at + 2))
  );
}
