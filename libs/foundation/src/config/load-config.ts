import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { listSettings, type SettingEntry, unwrap } from './setting.ts';

type Tree = Record<string, unknown>;

/** Where configuration comes from. The environment wins over the file, the file over the defaults. */
export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The parsed configuration file. Any text in it may hold `${ENV_NAME}`. */
  readonly file?: unknown;
  /** Top-level keys of the file that belong to another service and are passed over here. */
  readonly foreignSections?: readonly string[];
}

/**
 * Builds and validates a configuration.
 * @throws ConfigError naming every fault, with the path and the environment variable of each.
 */
export function loadConfig<Schema extends z.ZodObject>(
  schema: Schema,
  sources: ConfigSources,
): z.output<Schema> {
  const faults: string[] = [];
  const tree = fileTree(sources, faults);
  const entries = listSettings(schema);
  for (const entry of entries) {
    const fromEnv = entry.env ? sources.env[entry.env] : undefined;
    if (fromEnv !== undefined && fromEnv !== '') writeAt(tree, entry.path, fromEnv);
    const value = readAt(tree, entry.path);
    if (typeof value === 'string') writeAt(tree, entry.path, coerce(value, unwrap(entry.schema)));
  }
  const result = schema.safeParse(tree);
  if (!result.success)
    faults.push(...result.error.issues.flatMap((issue) => describe(issue, entries, sources)));
  if (faults.length > 0 || !result.success) throw new ConfigError(faults);
  return result.data;
}

function fileTree(sources: ConfigSources, faults: string[]): Tree {
  if (sources.file === undefined || sources.file === null) return {};
  if (!isTree(sources.file)) {
    faults.push('the configuration file must hold a mapping at its top level');
    return {};
  }
  const own = Object.entries(sources.file).filter(([key]) => !sources.foreignSections?.includes(key));
  return substitute(Object.fromEntries(own), sources.env, faults) as Tree;
}

function substitute(value: unknown, env: ConfigSources['env'], faults: string[]): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const text = env[name];
      if (text === undefined)
        faults.push(`\${${name}} is used in the configuration file, but ${name} is not set`);
      return text ?? '';
    });
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, env, faults));
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, env, faults)]));
}

function coerce(text: string, type: z.ZodType): unknown {
  if (type instanceof z.ZodNumber)
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (type instanceof z.ZodBoolean)
    return { true: true, '1': true, false: false, '0': false }[text.toLowerCase()] ?? text;
  if (type instanceof z.ZodArray)
    return text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  return text;
}

function describe(
  issue: z.core.$ZodIssue,
  entries: readonly SettingEntry[],
  sources: ConfigSources,
): string[] {
  const path = issue.path.map(String);
  const entry = entries.find(({ path: own }) => `${path.join('.')}.`.startsWith(`${own}.`));
  if (issue.code === 'unrecognized_keys') {
    // What stands behind a stray separator in a secret reads as such a key.
    if (entry?.secret)
      return [
        `${path.join('.')}: holds a key that does not exist; its name may be part of a secret and is not shown`,
      ];
    return issue.keys.map((key) => `${[...path, key].join('.')}: no such key`);
  }
  const where = entry?.env ? ` (environment: ${entry.env}${sources.env[entry.env] ? '' : ', not set'})` : '';
  return [`${path.join('.') || 'configuration'}: ${issue.message}${where}`];
}

function readAt(tree: Tree, path: string): unknown {
  return path.split('.').reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
}

function writeAt(tree: Tree, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  let node = tree;
  for (const key of keys) {
    const child = node[key];
    // A file that has a scalar where a section belongs is left for the schema to refuse.
    if (child !== undefined && child !== null && !isTree(child)) return;
    const next: Tree = isTree(child) ? child : {};
    node[key] = next;
    node = next;
  }
  node[last] = value;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
