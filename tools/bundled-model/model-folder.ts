import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Path inside the folder -> content. */
export type FolderContent = Readonly<Record<string, string | Uint8Array>>;

/** Path inside the folder -> hex sha256. */
export type Digests = Readonly<Record<string, string>>;

export const MANIFEST = 'manifest.json';

const STAGING_MARK = '.tmp-';
const ABANDONED_AFTER_MS = 3_600_000;

/** Hex sha256 of a file's content. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** True when the folder holds exactly this manifest and every listed file with its digest. */
export async function isCurrent(folder: string, manifest: string, digests: Digests): Promise<boolean> {
  try {
    if ((await readFile(join(folder, MANIFEST), 'utf8')) !== manifest) return false;
    for (const [path, digest] of Object.entries(digests)) {
      if (sha256(await readFile(join(folder, path))) !== digest) return false;
    }
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/**
 * Puts the content at `folder` in one rename, so a reader or a killed run meets the old folder, none, or the new one,
 * but never half a model. `isDone` tells whether another run got there first with the same result.
 */
export async function replaceFolder(
  folder: string,
  content: FolderContent,
  isDone: () => Promise<boolean>,
): Promise<void> {
  await refuseForeignFolder(folder, content);
  await sweepAbandoned(folder);
  const staging = `${folder}${STAGING_MARK}${randomBytes(6).toString('hex')}`;
  const retired = `${staging}-old`;
  try {
    for (const [path, bytes] of Object.entries(content)) {
      await mkdir(dirname(join(staging, path)), { recursive: true });
      await writeFile(join(staging, path), bytes);
    }
    if (await isDone()) return;
    await rename(folder, retired).catch(ignoreAbsence);
    await rename(staging, folder);
  } catch (error) {
    if (!(await isDone())) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(retired, { recursive: true, force: true });
  }
}

/** Guards against a mistyped output path: replacing deletes what was there. */
async function refuseForeignFolder(folder: string, content: FolderContent): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isAbsence(error, 'ENOENT')) return [];
    throw error;
  });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  const own = new Set(Object.keys(content).map((path) => join(folder, path)));
  if (!files.includes(join(folder, MANIFEST)) && files.some((file) => !own.has(file))) {
    throw new Error(`${folder} holds files that are not a model folder; remove it or choose another one`);
  }
}

/** Removes what killed runs left beside the folder; the age keeps a run that is still writing out of this. */
async function sweepAbandoned(folder: string): Promise<void> {
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    if (!name.startsWith(basename(folder) + STAGING_MARK)) continue;
    const path = join(parent, name);
    const modifiedAt = await stat(path).then(({ mtimeMs }) => mtimeMs, ignoreAbsence);
    if (modifiedAt !== undefined && Date.now() - modifiedAt > ABANDONED_AFTER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

function ignoreAbsence(error: unknown): void {
  if (!isAbsence(error)) throw error;
}

function isAbsence(error: unknown, ...codes: readonly string[]): boolean {
  const absent = codes.length > 0 ? codes : ['ENOENT', 'ENOTDIR'];
  return absent.includes(String((error as { code?: unknown } | undefined)?.code));
}
