/** A mapping of a configuration file. */
export type Tree = Record<string, unknown>;

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at a path; undefined where nothing does. Places in a list are numbers. */
export function readAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null && Object.hasOwn(node, key) ? (node as Tree)[key] : undefined,
    tree,
  );
}

/** Puts a value at a path, with the mappings on the way to it. What is no mapping there is left for the schema to refuse. */
export function writeAt(tree: Tree, path: readonly string[], value: unknown): void {
  let node = tree;
  for (const key of path.slice(0, -1)) {
    const child = node[key];
    if (child !== undefined && (typeof child !== 'object' || child === null)) return;
    node = (child ?? (node[key] = {})) as Tree;
  }
  node[path.at(-1) as string] = value;
}
