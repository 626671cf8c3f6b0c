import { createRequire, flushCompileCache, registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ScriptTransformer, TransformResult } from '@jest/transform';
// TypeScript reads this package's types as CommonJS, Node its ES module.
import { default as loaded } from 'jest-runtime';
import './run-sources.ts';

const Runtime = loaded as unknown as typeof loaded.default;
type Runtime = InstanceType<typeof Runtime>;
type Coverage = ReturnType<Runtime['getAllV8CoverageInfoCopy']>;

const require = createRequire(import.meta.url);
const GLOBALS = 'jest-globals:';
const STACK_LINES = 20;
const EXPORTS = 'afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest, test';
const AS_MODULES: Parameters<ScriptTransformer['transform']>[1] = {
  collectCoverage: false,
  collectCoverageFrom: [],
  coverageProvider: 'v8',
  supportsDynamicImport: true,
  supportsExportNamespaceFrom: true,
  supportsStaticESM: true,
  supportsTopLevelAwait: true,
};

/** What was made of each file that this process has loaded: stack traces and coverage need it. */
const transformed = new Map<string, TransformResult>();
const sourceMaps = new Map<string, string>();
let transformer: ScriptTransformer;
let specs = 0;

registerHooks({
  // Each spec has functions of its own.
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals'
      ? { url: `${GLOBALS}${String(specs)}`, format: 'module', shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) => {
    if (url.startsWith(GLOBALS)) {
      const source = `export const { ${EXPORTS} } = globalThis[Symbol.for('${GLOBALS}')];`;
      return { format: 'module', source, shortCircuit: true };
    }
    if (!url.startsWith('file:') || !new URL(url).pathname.endsWith('.ts')) return next(url, context);
    return { format: 'module', source: transform(url), shortCircuit: true };
  },
});

function transform(url: string): string {
  const filename = fileURLToPath(url);
  const result = transformer.transform(filename, AS_MODULES);
  transformed.set(filename, result);
  if (result.sourceMapPath) sourceMaps.set(url, result.sourceMapPath);
  return result.code;
}

/**
 * Jest's runtime with specs that Node itself imports. Jest evaluates every module anew for every spec, in a realm of its
 * own. Here the specs of one worker share the modules, as callers in a service do, which halves the time of a run, and they
 * see the objects of Node's own realm.
 */
export default class NativeRuntime extends Runtime {
  constructor(...options: ConstructorParameters<typeof Runtime>) {
    super(...options);
    transformer = options[3];
  }

  /** Jest's own modules, too, are loaded once a worker: only its adapter, which keeps the tests of a spec, is new each time. */
  override requireInternalModule<T = unknown>(from: string): T {
    Reflect.deleteProperty(require.cache, from);
    Reflect.deleteProperty(globalThis, Symbol.for('EVENT_HANDLERS'));
    return require(from) as T;
  }

  override async unstable_importModule(path: string): Promise<void> {
    specs += 1;
    // Jest asks for a hundred: each `expect` takes a stack, and property tests call it a hundred thousand times.
    Error.stackTraceLimit = STACK_LINES;
    Object.assign(globalThis, { [Symbol.for(GLOBALS)]: this.requireModuleOrMock(path, '@jest/globals') });
    await import(`${pathToFileURL(path).href}?${String(specs)}`);
  }

  override teardown(): void {
    super.teardown();
    // Else it is written when the process ends, which takes longer than Jest waits for a worker.
    flushCompileCache();
  }

  override getSourceMaps(): Map<string, string> {
    return sourceMaps;
  }

  override getAllV8CoverageInfoCopy(): Coverage {
    const withSource = ({ result }: Coverage[number]) => ({
      result,
      codeTransformResult: transformed.get(result.url),
    });
    return super.getAllV8CoverageInfoCopy().map(withSource);
  }
}
