import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { nearMiss } from './near-miss.ts';
import { idleSettings } from './idle-settings.ts';
import { describeIssue, plainIssues, valueOfText, whereIs } from './config-issues.ts';
import { listSettings, type SettingEntry, unwrap } from './setting.ts';
import { isTree, readAt, type Tree, writeAt } from './tree.ts';
import { substituteVariables, valueOf, type Variables, writingFault } from './variables.ts';

/** Where configuration comes from. The environment wins over the file, the file over the defaults. */
interface ConfigSources {
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
  const faults = new Faults();
  const { tree, references } = fileTree(sources, faults);
  const entries = listSettings(schema);
  fillSections(tree, entries);
  for (const entry of entries) {
    const path = entry.path.split('.');
    const fromEnv = valueOf(sources.env, entry.env) ?? blankList(entry, sources.env);
    if (fromEnv !== undefined) writeAt(tree, path, fromEnv);
    const value = readAt(tree, path);
    if (typeof value === 'string') writeAt(tree, path, coerce(value, entry, sources, faults));
  }
  const unset = entries.filter(({ path, env }) => env && readAt(tree, path.split('.')) === undefined);
  for (const slip of slips(unset, entries, sources, references)) faults.add(slip);
  for (const { entry, missing } of idleSettings(tree, entries)) {
    const needed = `\`${missing.path}\`${missing.env ? ` (${missing.env})` : ''}`;
    faults.add(`${entry.path}: does nothing without ${needed}${whereIs(entry, sources.env)}`);
  }
  let result = schema.safeParse(tree);
  if (!result.success && convertTexts(tree, result.error.issues)) result = schema.safeParse(tree);
  for (const issue of plainIssues(result.error?.issues ?? [])) {
    if (faults.isTold(issue.path.join('.'))) continue;
    for (const fault of describeIssue(issue, { tree, entries, env: sources.env })) faults.add(fault);
  }
  if (faults.list.length > 0 || !result.success) throw new ConfigError(faults.list);
  return result.data;
}

/** Every fault once. What a schema says of a value that has one already would only mislead. */
class Faults {
  readonly #messages = new Set<string>();
  readonly #told: string[] = [];

  add(message: string, path?: string): void {
    this.#messages.add(message);
    if (path !== undefined) this.#told.push(path);
  }

  isTold(path: string): boolean {
    return this.#told.some((told) => `${path}.`.startsWith(`${told}.`));
  }

  get list(): string[] {
    return [...this.#messages];
  }
}

function fileTree({ file, env, foreignSections }: ConfigSources, faults: Faults) {
  const nothing: { tree: Tree; references: ReadonlySet<string> } = { tree: {}, references: new Set() };
  if (file === undefined || file === null) return nothing;
  if (!isTree(file)) {
    faults.add('the configuration file must hold a mapping at its top level');
    return nothing;
  }
  const own = Object.entries(file).filter(([key]) => !foreignSections?.includes(key));
  const { value, names, faults: found } = substituteVariables(Object.fromEntries(own), env);
  for (const { message, path } of found) faults.add(message, path);
  return { tree: value as Tree, references: names };
}

/** Within lists, too, a text stands for the number or the boolean that belongs there: a reference has no other type. */
function convertTexts(tree: Tree, issues: readonly z.core.$ZodIssue[]): boolean {
  let isConverted = false;
  for (const issue of plainIssues(issues)) {
    const path = issue.path.map(String);
    const text = issue.code === 'invalid_type' ? readAt(tree, path) : undefined;
    const value =
      typeof text === 'string' ? valueOfText(text, (issue as { expected: string }).expected) : undefined;
    if (value === undefined) continue;
    writeAt(tree, path, value);
    isConverted = true;
  }
  return isConverted;
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

/** Line ends separate the entries of a list: one of nothing else is no empty variable, but as wrong as one of commas. */
function blankList({ env: name, schema }: SettingEntry, env: Variables): string | undefined {
  return unwrap(schema) instanceof z.ZodArray && name !== undefined ? env[name] || undefined : undefined;
}

/** The value that a text means for its setting. Where it cannot mean one that is a fault, and it stays as it is. */
function coerce(
  text: string,
  { schema, ...entry }: SettingEntry,
  sources: ConfigSources,
  faults: Faults,
): unknown {
  const type = unwrap(schema);
  const isList = type instanceof z.ZodArray;
  const fault = faults.isTold(entry.path) ? undefined : writingFault(text, isList);
  if (fault !== undefined) faults.add(`${entry.path}: ${fault}${whereIs(entry, sources.env)}`, entry.path);
  if (type instanceof z.ZodNumber) return valueOfText(text, 'number') ?? text;
  if (type instanceof z.ZodBoolean) return valueOfText(text, 'boolean') ?? text;
  if (!isList) return text;
  return text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter(Boolean);
}

/** A section of which everything is commented out is an empty one. */
function fillSections(tree: Tree, entries: readonly SettingEntry[]): void {
  for (const { path } of entries) {
    const keys = path.split('.');
    for (let length = 1; length < keys.length; length += 1) {
      const section = keys.slice(0, length);
      if (readAt(tree, section) === null) writeAt(tree, section, {});
    }
  }
}
