import { hash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One digest of the names and contents of all files that the patterns match below a folder, the working one by default. */
export async function digestOf(patterns: readonly string[], cwd = '.'): Promise<string> {
  const files: string[] = [];
  for await (const entry of glob(patterns, { cwd, withFileTypes: true }))
    if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    files.sort().map(async (file) => `${hash('sha256', await readFile(file))} ${file}`),
  );
  return hash('sha256', lines.join('\n'));
}
