import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { transform } from '@swc/core';
import { type Plugin, rolldown } from 'rolldown';
import { isLeftOutside } from './outside.ts';

/** Content by path below the output folder. */
export type Output = Map<string, string | Uint8Array>;

const ROOT = join(import.meta.dirname, '../..');

/** Our own code and that of others go to files of their own, so that source maps cover ours only: they are read at start. */
export async function bundle(entry: string): Promise<Output> {
  const program = basename(entry, '.ts');
  await using build = await rolldown({
    input: { [program]: entry },
    platform: 'node',
    tsconfig: join(ROOT, 'tsconfig.base.json'),
    external: isLeftOutside,
    plugins: [swc],
    // Of a library a program has what it uses: none of its modules does anything by being imported.
    treeshake: { moduleSideEffects: [{ test: /\/libs\//, sideEffects: false }] },
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
