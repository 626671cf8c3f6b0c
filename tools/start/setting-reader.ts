import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** The environment of a start, or a part of it. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Reads one setting: from the variable, or else from the dotted path in the configuration file. */
type ReadSetting = (variable: string, path: string) => string | undefined;

/**
 * A look at the few settings that decide what is started. Lists come joined with commas, empty ones as not set. A file
 * that cannot be read counts as empty: the services refuse it with the reason.
 */
export function settingReader(env: Env): ReadSetting {
  const file = readConfigFile(env['MORGAN_CONFIG']);
  return (variable, path) => {
    const value = path
      .split('.')
      .reduce<unknown>((node, key) => (node as Record<string, unknown> | null | undefined)?.[key], file);
    return env[variable] || asText(value, env) || undefined;
  };
}

function readConfigFile(path: string | undefined): unknown {
  if (!path) return undefined;
  try {
    return parse(readFileSync(path, 'utf8'), { merge: true });
  } catch {
    return undefined;
  }
}

function asText(value: unknown, env: Env): string {
  if (Array.isArray(value)) return value.map((item) => asText(item, env)).join(',');
  if (typeof value === 'string')
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => env[name] ?? '');
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
