import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { nearMiss } from './near-miss.ts';
import { listSettings, type SettingEntry, unwrap } from './setting.ts';
import { substituteVariables, valueOf, type Variables, writingFault } from './variables.ts';

type Tree = Record<string, unknown>;

/** Where configuration comes from. The environment wins over the file, the file over the defaults. */
export interface ConfigSources {
  readonly env: Variables;
  /** The parsed configuration file. Any text in it may hold `${ENV_NAME}`. */
  readonly file?: unknown;
  /** Top-level keys of the file that belong to another service and are passed over here. */
  readonly foreignSections?: readonly string[];
  /** Variables that are no settings, but read by something else: not typing errors. */
  readonly otherVariables?: readonly string[];
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
  const { tree, references } = fileTree(sources, faults);
  const entries = listSettings(schema);
  fillSections(tree, entries);
  for (const entry of entries) {
    const fromEnv = valueOf(sources.env, entry.env);
    if (fromEnv !== undefined) writeAt(tree, entry.path, fromEnv);
    const value = readAt(tree, entry.path);
    if (typeof value === 'string') writeAt(tree, entry.path, coerce(value, entry, sources, faults));
  }
  const unset = entries.filter(({ path, env }) => env && readAt(tree, path) === undefined);
  faults.push(...slips(unset, entries, sources, references));
  const result = schema.safeParse(tree);
  if (!result.success)
    faults.push(...result.error.issues.flatMap((issue) => describe(issue, entries, sources)));
  if (faults.length > 0 || !result.success) throw new ConfigError(faults);
  return result.data;
}

function fileTree({ file, env, foreignSections }: ConfigSources, faults: string[]) {
  const nothing: { tree: Tree; references: ReadonlySet<string> } = { tree: {}, references: new Set() };
  if (file === undefined || file === null) return nothing;
  if (!isTree(file)) {
    faults.push('the configuration file must hold a mapping at its top level');
    return nothing;
  }
  const own = Object.entries(file).filter(([key]) => !foreignSections?.includes(key));
  const { value, names, faults: found } = substituteVariables(Object.fromEntries(own), env);
  faults.push(...found);
  return { tree: value as Tree, references: names };
}

/** Variables that look like a setting that nobody has made: what they say would be left out in silence. */
function slips(
  unset: readonly SettingEntry[],
  entries: readonly SettingEntry[],
  { env, otherVariables = [] }: ConfigSources,
  references: ReadonlySet<string>,
): string[] {
  const known = new Set([...entries.flatMap(({ env: own }) => own ?? []), ...otherVariables]);
  const others = otherVariables.filter((name) => valueOf(env, name) === undefined);
  const names = [...unset.flatMap(({ env: own }) => own ?? []), ...others];
  return Object.keys(env)
    .filter((name) => !known.has(name) && !references.has(name) && valueOf(env, name) !== undefined)
    .flatMap((name) => {
      const meant = nearMiss(name, names);
      return meant === undefined ? [] : [`${name}: no such setting; ${meant} is one, and is not set`];
    });
}

/** The value that a text means for its setting; undefined, and a fault, where it cannot mean one. */
function coerce(
  text: string,
  { schema, ...entry }: SettingEntry,
  sources: ConfigSources,
  faults: string[],
): unknown {
  const type = unwrap(schema);
  const isList = type instanceof z.ZodArray;
  const fault = writingFault(text, isList);
  if (fault !== undefined) {
    faults.push(`${entry.path}: ${fault}${whereIs(entry, sources)}`);
    return undefined;
  }
  if (type instanceof z.ZodNumber)
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  if (type instanceof z.ZodBoolean)
    return { true: true, '1': true, false: false, '0': false }[text.toLowerCase()] ?? text;
  if (isList)
    return text
      .split(/[,\n]/)
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
  const isEmpty = issue.code === 'invalid_type' && issue.message.endsWith('received null');
  const message = isEmpty ? 'is empty: leave it out, or give it a value' : issue.message;
  return [`${path.join('.') || 'configuration'}: ${message}${whereIs(entry, sources)}`];
}

function whereIs(entry: Pick<SettingEntry, 'env'> | undefined, { env }: ConfigSources): string {
  return entry?.env ? ` (environment: ${entry.env}${env[entry.env] ? '' : ', not set'})` : '';
}

/** A section of which everything is commented out is an empty one. */
function fillSections(tree: Tree, entries: readonly SettingEntry[]): void {
  for (const { path } of entries) {
    const keys = path.split('.');
    for (let length = 1; length < keys.length; length += 1) {
      const section = keys.slice(0, length).join('.');
      if (readAt(tree, section) === null) writeAt(tree, section, {});
    }
  }
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
    if (child !== undefined && !isTree(child)) return;
    const next: Tree = isTree(child) ? child : {};
    node[key] = next;
    node = next;
  }
  node[last] = value;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
