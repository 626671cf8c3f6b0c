import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runQuietly } from './command.ts';

/**
 * Installs packages into a folder of their own, for commands that need what nothing else here does. Their scripts are not run.
 * @param packages versions by name. @throws CommandFailed where they cannot be installed.
 */
export async function installAside(
  folder: string,
  packages: Readonly<Record<string, string>>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: packages }));
  await runQuietly('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']);
}
