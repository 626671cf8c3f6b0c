import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { transform } from '@swc/core';
import { type Plugin, rolldown } from 'rolldown';
import { isLeftOutside } from './outside.ts';

/** Content by path below the output folder. */
type Output = Map<string, string | Uint8Array>;

const ROOT = join(import.meta.dirname, '../..');

/**
 * Bundles one app and what it imports, so that plain `node` runs the result in `dist/apps/<name>`: a service of 2,600 files
 * takes more than twice as long to start, most of it spent on finding and opening them.
 * @param entries the programs: `src/main.ts`, and those that it starts as processes of their own, which are looked for
 *   beside it. Each is a bundle of its own, so that none loads what another one needs.
 */
async function buildApp(appRoot: string, entries: readonly string[]): Promise<void> {
  const name = basename(appRoot);
  const output: Output = new Map([
    ['package.json', `${JSON.stringify({ name: `@morgan/${name}`, type: 'module' }, null, 2)}\n`],
  ]);
  for (const entry of entries) for (const [file, content] of await bundle(entry)) output.set(file, content);
  await bringUpToDate(join('dist/apps', name), output);
}

/** Our own code and that of others go to files of their own, so that source maps cover ours only: they are read at start. */
async function bundle(entry: string): Promise<Output> {
  const program = basename(entry, '.ts');
  await using build = await rolldown({
    input: { [program]: entry },
    platform: 'node',
    tsconfig: join(ROOT, 'tsconfig.base.json'),
    external: isLeftOutside,
    plugins: [swc],
    // Bottleneck hides an optional import from bundlers that way.
    checks: { eval: false },
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${entry}: ${log.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: false, jsdoc: false },
    entryFileNames: '[name].js',
    chunkFileNames: `${program}.[name].js`,
    codeSplitting: { groups: [{ name: 'packages', test: /\/node_modules\// }] },
  });
  const ofPackages = (file: string) => file.startsWith(`${program}.packages.`);
  return new Map(
    output.flatMap((file): [string, string | Uint8Array][] => {
      if (file.type === 'asset') return ofPackages(file.fileName) ? [] : [[file.fileName, file.source]];
      const code = inLatin1(withoutFacades(file.code));
      const isOurs = !ofPackages(file.fileName);
      return [[file.fileName, isOurs ? code : code.replace(/\n\/\/# sourceMappingURL=.*/, '')]];
    }),
  );
}

/** V8 keeps the source of what runs, with one character beyond Latin-1 in it at two bytes for each: 5 MB more. */
function inLatin1(code: string): string {
  return code.replaceAll(/[^\x00-\xff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The tests compile with swc too, by the same `.swcrc`. */
const swc: Plugin = {
  name: 'swc',
  transform: {
    filter: { id: /\.ts$/ },
    async handler(source, filename) {
      const { code, map } = await transform(source, { filename, sourceMaps: true });
      return { code, ...(map && { map }), moduleType: 'js' };
    },
  },
};

/**
 * An `import` of a built-in module has Node look at all that the module exports, and so load what comes with it on demand
 * only, such as undici behind `node:http`: a tenth of a start. Lines stay where source maps have them.
 */
function withoutFacades(code: string): string {
  return code.replace(/^import (.+) from "([^"]+)";$/gm, (line, names: string, module: string) => {
    if (!isBuiltin(module)) return line;
    const local = names.startsWith('{') ? names.replaceAll(' as ', ': ') : names.replace('* as ', '');
    return `const ${local} = process.getBuiltinModule("${module}");`;
  });
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
