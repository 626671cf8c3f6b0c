import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How the name of a file ends that is on its way, and for how long nothing may have been added to it. */
const PART = /\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.part$/;
const ABANDONED_MS = 600_000;

/** Where a file is written until it is whole: nobody else's, and beside its target. */
export function partOf(target: string): string {
  return `${target}.${randomUUID()}.part`;
}

/**
 * Takes away what processes left that were ended in the middle: each may be as large as the model. The start right after such
 * an end cannot tell it from what another process is at, so every start looks again. What cannot be taken away stays.
 */
export async function removeAbandonedParts(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names.filter((name) => PART.test(name))) {
    const path = join(folder, name);
    const { mtimeMs = Infinity } = (await stat(path).catch(() => undefined)) ?? {};
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}
