import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readmeExampleOf, runReadmeExample } from '@morgan/testing';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '..');
/** Their examples call a host, or Redis: a spec of the project has it, and runs the example. */
const WITH_HOSTS = /distributed-llm|http-client|health-monitor|redis|llm-service/;
const READMES = globSync('{apps,libs/infrastructure}/*/README.md', { cwd: ROOT });

it.each(READMES.filter((readme) => !WITH_HOSTS.test(readme)))(
  'the example of %s runs and prints what its comments say',
  async (readme) => {
    const { said, printed } = await runReadmeExample(join(ROOT, readme));
    expect(printed).toEqual(said);
  },
);

it.each(READMES.filter((readme) => WITH_HOSTS.test(readme)))(
  'the example of %s is run by a spec of its project',
  (readme) => {
    const specs = globSync('src/**/{readme,llm.service}.int-spec.ts', { cwd: join(ROOT, readme, '..') });
    expect(specs).toHaveLength(1);
  },
);

it('the examples have the types that they use', () => {
  expect(typeFaults(READMES.map((readme) => join(ROOT, readme)))).toEqual([]);
});

/** Compiles each example as a file beside its README, as strictly as all sources are. */
function typeFaults(readmes: readonly string[]): string[] {
  const base = { extends: './tsconfig.base.json', files: [] };
  const { options } = ts.parseJsonConfigFileContent(base, ts.sys, ROOT);
  const examples = new Map(readmes.map((readme) => [`${readme}.ts`, readmeExampleOf(readme)]));
  const host = ts.createCompilerHost(options);
  host.fileExists = (name) => examples.has(name) || ts.sys.fileExists(name);
  host.readFile = (name) => examples.get(name) ?? ts.sys.readFile(name);
  const program = ts.createProgram([...examples.keys()], options, host);
  const faults = [...examples.keys()].flatMap((name) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return faults.map(({ file, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, ' ');
    return `${file?.fileName}: ${message}`;
  });
}
