import { z } from 'zod';
import { listSettings } from './setting.ts';

/** Renders the Markdown table of docs/configuration.md: one row per setting, so that docs and code cannot drift. */
export function configurationTable(schema: z.ZodObject): string {
  const rows = listSettings(schema).map(({ path, env, schema: leaf, doc, needs }) => {
    const fallback = leaf.safeParse(undefined);
    const shown =
      fallback.success && fallback.data !== undefined ? `\`${JSON.stringify(fallback.data)}\`` : '–';
    return `| \`${path}\` | ${env ? `\`${env}\`` : '–'} | ${shown} | ${doc}${needs ? ` Refused without \`${needs}\`.` : ''} |`;
  });
  return ['| key | environment | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
