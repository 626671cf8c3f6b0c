import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { runQuietly } from '../start/command.ts';
import { installAside } from '../start/install-aside.ts';

const FOLDER = join(import.meta.dirname, '../../.bench/software-gpu');
/** Carries SwiftShader, the GPU in software that Chromium falls back on, and the loader of Vulkan, for Linux on x64. */
const PACKAGES = { '@sparticuz/chromium': '138.0.2' };
const ARCHIVE = join(FOLDER, 'node_modules/@sparticuz/chromium/bin/swiftshader.tar.br');
const LIBRARIES = join(FOLDER, 'libraries');
const DRIVER = join(LIBRARIES, 'vk_swiftshader_icd.json');

/**
 * The environment in which a program finds a GPU that is computed on the CPU. The first call installs it; nothing else needs it.
 * @throws CommandFailed where that does not work.
 */
export async function softwareGpu(): Promise<NodeJS.ProcessEnv> {
  if (!existsSync(DRIVER)) await install();
  return { ...process.env, VK_DRIVER_FILES: DRIVER, VK_ICD_FILENAMES: DRIVER, LD_LIBRARY_PATH: LIBRARIES };
}

async function install(): Promise<void> {
  console.log('installing SwiftShader (only the first time, 70 MB) ...');
  await installAside(FOLDER, PACKAGES);
  await mkdir(LIBRARIES, { recursive: true });
  const archive = join(FOLDER, 'swiftshader.tar');
  await writeFile(archive, brotliDecompressSync(await readFile(ARCHIVE)));
  await runQuietly('tar', ['--extract', `--file=${archive}`, `--directory=${LIBRARIES}`]);
}
