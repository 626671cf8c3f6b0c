import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { Output } from './bundle.ts';
import { digestOf } from './digest.ts';

/** All that a build is made of. What is installed stands for the packages. */
const SOURCES = [
  'apps/*/src/**/*.ts',
  'libs/**/src/**/*.ts',
  'tools/build/*.ts',
  '.swcrc',
  'tsconfig.base.json',
  'package-lock.json',
  'node_modules/.package-lock.json',
];

/**
 * Bundles one app and what it imports, so that plain `node` runs the result in `dist/apps/<name>`: a service of 2,600 files
 * takes more than twice as long to start, most of it spent on finding and opening them. Does nothing where neither what it
 * is made of nor the result has changed since the last time.
 * @param entries the programs: `src/main.ts`, and those that it starts as processes of their own, which are looked for
 *   beside it. Each is a bundle of its own, so that none loads what another one needs.
 */
async function buildApp(appRoot: string, entries: readonly string[]): Promise<void> {
  const name = basename(appRoot);
  const outDir = join('dist/apps', name);
  const record = join('.cache/builds', name);
  const madeOf = [...entries, await digestOf(SOURCES)].join('\n');
  const state = async () => `${madeOf}\n${await digestOf([`${outDir}/**`])}\n`;
  if ((await readFile(record, 'utf8').catch(() => '')) === (await state())) return;
  // Takes longer to load than all that comes before.
  const { bundle } = await import('./bundle.ts');
  const output: Output = new Map([
    ['package.json', `${JSON.stringify({ name: `@morgan/${name}`, type: 'module' }, null, 2)}\n`],
  ]);
  for (const entry of entries) for (const [file, content] of await bundle(entry)) output.set(file, content);
  await bringUpToDate(outDir, output);
  await mkdir(dirname(record), { recursive: true });
  await writeFile(record, await state());
}

/** Touches only what differs, file by file: a service may be starting from this folder right now. */
async function bringUpToDate(outDir: string, output: Output): Promise<void> {
  const present = await filesBelow(outDir).catch((): string[] => []);
  for (const [file, content] of output) {
    const path = join(outDir, file);
    const wanted = Buffer.from(content);
    if (present.includes(file) && wanted.equals(await readFile(path))) continue;
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.${process.pid}.draft`;
    await writeFile(draft, wanted);
    await rename(draft, path);
  }
  const stale = present.filter((file) => !output.has(file));
  await Promise.all(stale.map((file) => rm(join(outDir, file), { force: true })));
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)));
}

const [appRoot, ...processes] = process.argv.slice(2);
if (!appRoot) {
  console.error('usage: node tools/build/build-app.ts <app root> [<entry of a process that it starts>...]');
  process.exit(2);
}
await buildApp(appRoot, [join(appRoot, 'src/main.ts'), ...processes]);
