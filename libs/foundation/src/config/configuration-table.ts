import { z } from 'zod';
import { listSettings, type SettingEntry } from './setting.ts';

/**
 * Renders a Markdown table of docs/configuration.md: one row per setting, so that docs and code cannot drift. Without any variable,
 * as among the fields of a list's elements, there is no column for them.
 */
export function configurationTable(schema: z.ZodType): string {
  const settings = listSettings(schema);
  const hasVariables = settings.some(({ env }) => env !== undefined);
  const row = (key: string, environment: string, fallback: string, meaning: string) =>
    `| ${[key, ...(hasVariables ? [environment] : []), fallback, meaning].join(' | ')} |`;
  return [
    row('key', 'environment', 'default', 'meaning'),
    row('---', '---', '---', '---'),
    ...settings.map((entry) =>
      row(`\`${entry.path}\``, entry.env ? `\`${entry.env}\`` : '–', defaultOf(entry), meaningOf(entry)),
    ),
  ].join('\n');
}

function meaningOf({ doc, needs }: SettingEntry): string {
  return needs ? `${doc} Refused without \`${needs}\`.` : doc;
}

function defaultOf({ schema }: SettingEntry): string {
  const { success, data } = schema.safeParse(undefined);
  return success && data !== undefined ? `\`${JSON.stringify(data)}\`` : '–';
}
