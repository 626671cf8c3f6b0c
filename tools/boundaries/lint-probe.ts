import { text } from 'node:stream/consumers';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';

/** A source text as it would be at this place; `untagged` names a project whose tags are taken away first. */
export interface Sample {
  readonly file: string;
  readonly code: string;
  readonly untagged?: string;
}

/** What the linter says about a sample, one `rule: message` each. */
export type Verdict = readonly string[];

interface ProjectNode {
  readonly data: { tags?: readonly string[] };
}

/** Boundaries need no types, for which the whole workspace would have to be read. */
const WITHOUT_TYPES = { files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked } as Linter.Config;

/**
 * Lints the samples of stdin with the real configuration and prints the verdicts. A separate program because the Nx
 * plugin keeps its project graph in a global variable, which must not be that of a test.
 */
async function probe(samples: readonly Sample[]): Promise<Verdict[]> {
  const eslint = new ESLint({ overrideConfig: WITHOUT_TYPES });
  const verdicts: Verdict[] = [];
  for (const { file, code, untagged } of samples) {
    const node = untagged === undefined ? undefined : projectNode(untagged);
    const tags = node?.data.tags ?? [];
    if (node) node.data.tags = [];
    const [result] = await eslint.lintText(code, { filePath: file });
    if (node) node.data.tags = tags;
    verdicts.push((result?.messages ?? []).map(({ ruleId, message }) => `${ruleId}: ${message}`));
  }
  return verdicts;
}

/** From the graph that the plugin read with the first sample. */
function projectNode(name: string): ProjectNode {
  const { projectGraph } = globalThis as { projectGraph?: { nodes: Record<string, ProjectNode> } };
  const node = projectGraph?.nodes[name];
  if (!node) throw new Error(`there is no project ${name} in the graph`);
  return node;
}

// Under a name like this the Nx plugin keeps its graph from one file to the next.
process.argv[1] = 'node_modules/eslint';
console.log(JSON.stringify(await probe(JSON.parse(await text(process.stdin)) as Sample[])));
