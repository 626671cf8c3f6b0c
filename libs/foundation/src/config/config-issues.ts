import type { z } from 'zod';
import type { SettingEntry } from './setting.ts';
import { readAt, type Tree } from './tree.ts';
import type { Variables } from './variables.ts';

type Issue = z.core.$ZodIssue;

/** What a tree of settings was made of. */
interface Origin {
  readonly tree: Tree;
  readonly entries: readonly SettingEntry[];
  readonly env: Variables;
}

/**
 * The issues of a schema, with those of the alternatives in place of a union that none of them fits: of those that the value
 * was meant for, which are those that look into it.
 */
export function plainIssues(issues: readonly Issue[]): Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue];
    const inner = issue.errors.filter((own) => own.some(({ path }) => path.length > 0)).flat();
    if (inner.length === 0) return [issue];
    return plainIssues(inner.map((own) => ({ ...own, path: [...issue.path, ...own.path] })));
  });
}

/** What a text means where a number or a boolean belongs; undefined where it means none. */
export function valueOfText(text: string, type: string): number | boolean | undefined {
  if (type === 'boolean') return { true: true, '1': true, false: false, '0': false }[text.toLowerCase()];
  if (!NUMBERS.has(type) || text.trim() === '') return undefined;
  return Number.isFinite(Number(text)) ? Number(text) : undefined;
}

const NUMBERS: ReadonlySet<string> = new Set(['number', 'int']);

/** Says in words what would be right, by the path and the variable of the setting, and never what it was set to. */
export function describeIssue(issue: Issue, { tree, entries, env }: Origin): string[] {
  const path = issue.path.map(String);
  const entry = entries.find(({ path: own }) => `${path.join('.')}.`.startsWith(`${own}.`));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      if (entry?.secret && !isPlainName(key, readAt(tree, [...path, key]), entry, env))
        return `${path.join('.')}: ${hiddenKey(key, path, tree)}`;
      return `${[...path, key].join('.')}: no such key`;
    });
  }
  return [
    `${path.join('.') || 'configuration'}: ${messageOf(issue, readAt(tree, path))}${whereIs(entry, env)}`,
  ];
}

/**
 * Whether a key among secrets is one that somebody wrote as a key. What stands behind a stray separator in a secret reads as one
 * too: in the variable, and in the file without a value.
 */
function isPlainName(key: string, value: unknown, { env: name }: SettingEntry, env: Variables): boolean {
  const isFromFile = name === undefined || !env[name];
  return isFromFile && value !== null && /^[A-Za-z_]{1,32}$/.test(key);
}

/** A key that may not be shown is told by its place. */
function hiddenKey(key: string, path: readonly string[], tree: Tree): string {
  const at = Object.keys(readAt(tree, path) ?? {}).indexOf(key);
  const which = at < 0 ? '' : ` (number ${at + 1} of its keys)`;
  return `holds a key that does not exist${which}; its name may be part of a secret and is not shown`;
}

function messageOf(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join('; ');
  // The schema has words of its own.
  if (!/^(Invalid (input|option)|Too (small|big))(: |$)/.test(issue.message)) return issue.message;
  if (value === null) return 'is empty: leave it out, or give it a value';
  if (value === undefined) return 'is needed';
  if (issue.code === 'invalid_union') return alternatives(issue.errors.flat(), value);
  if (issue.code === 'invalid_value') return `must be ${oneOf(issue.values.map(String))}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return boundWords(issue);
  return issue.code === 'invalid_type' ? typeWords(issue.expected, value) : issue.message;
}

function oneOf(values: readonly string[]): string {
  const names = values.map((value) => `\`${value}\``);
  return names.length > 1 ? `one of ${names.join(', ')}` : names.join();
}

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'values' };

function boundWords(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const unit = UNITS[issue.origin];
  const isLeast = issue.code === 'too_small';
  if (unit && isLeast && issue.minimum === 1) return 'must not be empty';
  const bound = String(isLeast ? issue.minimum : issue.maximum);
  if (unit) return `must have at ${isLeast ? 'least' : 'most'} ${bound} ${unit}`;
  if (issue.inclusive === false) return `must be ${isLeast ? 'above' : 'below'} ${bound}`;
  return `must be at ${isLeast ? 'least' : 'most'} ${bound}`;
}

function alternatives(issues: readonly Issue[], value: unknown): string {
  return [...new Set(issues.map((issue) => messageOf(issue, value)))].join('; or ');
}

function typeWords(expected: string, value: unknown): string {
  if (typeof value === 'string' && NUMBERS.has(expected)) return 'must be a number, in digits without a unit';
  if (typeof value === 'number' && expected === 'int') return 'must be a whole number';
  if ((typeof value === 'number' || typeof value === 'boolean') && expected === 'string')
    return 'must be a text: put quotes around it';
  return TYPES[expected] ?? `must be of the type ${expected}`;
}

const MAPPING = 'must be a mapping: keys, each with a value';
const TYPES: Readonly<Record<string, string>> = {
  array: 'must be a list',
  boolean: 'must be `true` or `false`',
  int: 'must be a whole number',
  number: 'must be a number',
  object: MAPPING,
  record: MAPPING,
  string: 'must be a text',
};

/** The variable of a setting, as it stands in a fault. */
export function whereIs(entry: Pick<SettingEntry, 'env'> | undefined, env: Variables): string {
  return entry?.env ? ` (environment: ${entry.env}${env[entry.env] ? '' : ', not set'})` : '';
}
