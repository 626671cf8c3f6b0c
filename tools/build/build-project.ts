import { mkdir, readFile, rm, writeFile, readdir } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { type Options, transform } from '@swc/core';

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
  await rm(outDir, { recursive: true, force: true });
  const files = await sourceFiles(sourceDir);
  await Promise.all(files.map((file) => compile(file, join(outDir, relative(sourceDir, file)))));
  const manifest = { name: `@morgan/${name}`, type: 'module', ...(isApp ? {} : { exports: './index.js' }) };
  await writeFile(join(outDir, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function sourceFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function compile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if (!source.endsWith('.ts')) return writeFile(target, await readFile(source));
  const output = target.replace(/\.ts$/, '.js');
  const { code, map } = await transform(await readFile(source, 'utf8'), buildOptions(source, output));
  await writeFile(output, `${code}\n//# sourceMappingURL=${basename(output)}.map\n`);
  if (map) await writeFile(`${output}.map`, map);
}

/** The syntax options are in `.swcrc`, shared with the tests; only a build turns `.ts` imports into `.js`. */
function buildOptions(source: string, output: string): Options {
  const jsc: Options['jsc'] & { rewriteRelativeImportExtensions: boolean } = {
    rewriteRelativeImportExtensions: true,
  };
  return {
    filename: source,
    sourceFileName: relative(dirname(output), source),
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
