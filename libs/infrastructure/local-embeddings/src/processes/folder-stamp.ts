import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Sizes and times of all files below a folder, behind links too: another text where any of them was changed, added or taken away.
 * @returns undefined where they cannot be seen
 */
export async function folderStamp(folder: string): Promise<string | undefined> {
  const lineOf = async (name: string) => {
    const { size, mtimeMs, ino } = await stat(join(folder, name));
    return `${name} ${size} ${mtimeMs} ${ino}`;
  };
  try {
    const names = await readdir(folder, { recursive: true });
    return (await Promise.all(names.toSorted().map(lineOf))).join('\n');
  } catch {
    return undefined;
  }
}
