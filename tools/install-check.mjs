import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Whether node_modules holds what the lockfile asks for: npm keeps a list of what it installed, and every package must
 * be on it in the same version. Optional packages may be missing, because they may be for other platforms.
 */
export async function isInstalled(root) {
  const wanted = await readPackages(join(root, 'package-lock.json'));
  const present = await readPackages(join(root, 'node_modules/.package-lock.json')).catch(() => ({}));
  return Object.entries(wanted).every(([path, { version, optional, devOptional, peer }]) => {
    if (path === '') return true;
    if (present[path]) return present[path].version === version;
    return Boolean(optional || devOptional || peer);
  });
}

async function readPackages(file) {
  return JSON.parse(await readFile(file, 'utf8')).packages;
}
