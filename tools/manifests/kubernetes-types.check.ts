import { join } from 'node:path';
import ts from 'typescript';
import type { ManifestDocument } from './deployment-tree.ts';

const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2022.d.ts'],
  types: [],
};

/**
 * Compiles every document as a literal of its Kubernetes type. The compiler refuses unknown fields and wrong types, which
 * an API server would drop or reject.
 */
export function typeFaults(documents: readonly ManifestDocument[]): string[] {
  const fileName = join(import.meta.dirname, 'manifests.generated.ts');
  const literals = documents.map(({ content }, index) => literalOf(content, index));
  const source = ts.createSourceFile(fileName, literals.join('\n'), ts.ScriptTarget.ES2022);
  const host = ts.createCompilerHost(OPTIONS);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => (name === fileName ? source : getSourceFile(name, ...rest));
  const program = ts.createProgram([fileName], OPTIONS, host);
  const ends = literals.map((_, index) => literals.slice(0, index + 1).join('\n').length);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const start = diagnostic.start ?? 0;
    const { line } = source.getLineAndCharacterOfPosition(start);
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');
    const file = documents[ends.findIndex((end) => start <= end)]?.file;
    return `${file}: ${message} [${source.text.split('\n')[line]?.trim()}]`;
  });
}

function literalOf(content: ManifestDocument['content'], index: number): string {
  const { apiVersion = '', kind = '' } = content;
  const [group = '', version] = apiVersion.split('/');
  // `networking.k8s.io/v1` is in the module networking/v1, plain `v1` in core/v1.
  const module = version === undefined ? `core/${group}` : `${group.split('.')[0]}/${version}`;
  const type = `import('kubernetes-types/${module}.js').${kind}`;
  return `export const document${index}: ${type} = ${JSON.stringify(content, undefined, 1)};`;
}
