import type { z } from 'zod';

/**
 * When a check of several settings runs: wherever these are good, whatever else is wrong. By itself zod leaves such a check
 * out where anything of its object has the wrong type, and its fault would be told only once that one is mended.
 * @param settings their paths from the object that is checked.
 */
export function whereGood(...settings: readonly string[]) {
  return {
    when: ({ issues }: z.core.ParsePayload): boolean =>
      !issues.some(({ code, path = [] }) => {
        const at = path.join('.');
        // A key too much says nothing of those beside it.
        return code !== 'unrecognized_keys' && settings.some((own) => isWithin(own, at) || isWithin(at, own));
      }),
  };
}

function isWithin(path: string, outer: string): boolean {
  return outer === '' || `${path}.`.startsWith(`${outer}.`);
}
