import { isDeepStrictEqual } from 'node:util';
import type { SettingEntry } from './setting.ts';
import { readAt, type Tree } from './tree.ts';

/** A setting that was made, and does nothing: what it needs was not. */
interface IdleSetting {
  readonly entry: SettingEntry;
  /** What it needs. */
  readonly missing: SettingEntry;
}

/** Whoever makes a setting wants what it says, and would not notice that nothing of it happens. One that says what is so anyway is none. */
export function idleSettings(tree: Tree, entries: readonly SettingEntry[]): IdleSetting[] {
  return entries.flatMap((entry) => {
    const missing = entries.find(({ path }) => entry.needs && `.${path}`.endsWith(`.${entry.needs}`));
    return missing && isMade(entry, tree) && !isMade(missing, tree) ? [{ entry, missing }] : [];
  });
}

function isMade({ path, schema }: SettingEntry, tree: Tree): boolean {
  const value = readAt(tree, path.split('.'));
  return value !== undefined && value !== null && !isDeepStrictEqual(value, schema.safeParse(undefined).data);
}
