import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { type Options, transform } from '@swc/core';

/** Content by path below the output folder. */
type Output = Map<string, string | Buffer>;

/**
 * Compiles one Nx project with swc, file by file, so that plain `node` runs the result.
 * Apps go to `dist/apps/<name>`. Libraries go to `dist/node_modules/@morgan/<name>`, where Node's own resolution
 * finds them from every app: no bundler, no path rewriting, readable stack traces.
 */
async function buildProject(projectRoot: string): Promise<void> {
  const name = basename(projectRoot);
  const isApp = projectRoot.startsWith('apps/');
  const outDir = isApp ? join('dist/apps', name) : join('dist/node_modules/@morgan', name);
  const sourceDir = join(projectRoot, 'src');
  const manifest = { name: `@morgan/${name}`, type: 'module', ...(isApp ? {} : { exports: './index.js' }) };
  const output: Output = new Map([['package.json', `${JSON.stringify(manifest, null, 2)}\n`]]);
  const files = await filesBelow(sourceDir);
  const sources = files.filter((file) => !file.endsWith('spec.ts'));
  await Promise.all(sources.map((file) => compile({ sourceDir, outDir, file }, output)));
  await bringUpToDate(outDir, output);
}

interface Place {
  readonly sourceDir: string;
  readonly outDir: string;
  /** Path below both. */
  readonly file: string;
}

async function compile({ sourceDir, outDir, file }: Place, output: Output): Promise<void> {
  const source = join(sourceDir, file);
  if (!file.endsWith('.ts')) return void output.set(file, await readFile(source));
  const target = file.replace(/\.ts$/, '.js');
  const { code, map } = await transform(
    await readFile(source, 'utf8'),
    buildOptions(source, join(outDir, target)),
  );
  output.set(target, `${code}\n//# sourceMappingURL=${basename(target)}.map\n`);
  if (map) output.set(`${target}.map`, map);
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

/** The syntax options are in `.swcrc`, shared with the tests; only a build turns `.ts` imports into `.js`. */
function buildOptions(source: string, target: string): Options {
  const jsc: Options['jsc'] & { rewriteRelativeImportExtensions: boolean } = {
    rewriteRelativeImportExtensions: true,
  };
  return {
    filename: source,
    sourceFileName: relative(dirname(target), source),
    sourceMaps: true,
    jsc,
  };
}

const [projectRoot] = process.argv.slice(2);
if (!projectRoot) {
  console.error('usage: node tools/build/build-project.ts <project root>');
  process.exit(2);
}
await buildProject(projectRoot);
