import type { z } from 'zod';

/**
 * For a zod check of several settings: it runs wherever these are valid, whatever else is wrong in the object. By itself
 * zod leaves out such a check if anything of the object has the wrong type, and its fault would be reported only after
 * that one is mended.
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
