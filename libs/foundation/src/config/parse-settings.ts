import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { describeIssue, plainIssues } from './config-issues.ts';
import { listSettings } from './setting.ts';
import type { Tree } from './tree.ts';

/**
 * The settings of a class as its schema reads them, defaults filled in. For what is made by a program; {@link loadConfig} is for the
 * files and variables of a service.
 * @throws ConfigError naming every setting that is wrong, in words and without its value.
 */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, settings: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(settings);
  if (success) return data;
  // Nothing of it came from a variable.
  const entries = listSettings(schema).map(({ path, schema: leaf, doc, secret = false }) => ({
    path,
    schema: leaf,
    doc,
    secret,
  }));
  const origin = { tree: settings as Tree, entries, env: {} };
  throw new ConfigError(plainIssues(error.issues).flatMap((issue) => describeIssue(issue, origin)));
}
