import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ModelFolder } from './model-folder.ts';

/**
 * SHA-256 over the names and contents of files. Two models that share a name must never share cached vectors, and a
 * branch of the hub or a folder may hold another model tomorrow. Files are streamed: memory does not grow with them.
 */
export async function digestFiles(folder: ModelFolder, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...new Set(files)].sort()) {
    if (!folder.has(file)) continue;
    hash.update(`${file}\0${folder.sizeOf(file)}\0`);
    for await (const chunk of createReadStream(folder.pathOf(file))) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
