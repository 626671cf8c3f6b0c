import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';

/** The environment variable that names the YAML configuration file. */
export const CONFIG_FILE_VARIABLE = 'MORGAN_CONFIG';

/**
 * Loads the configuration of a service from its environment and, where `MORGAN_CONFIG` names one, its YAML file.
 * One file may serve several services: `foreignSections` are the top-level keys that belong to the others.
 * @throws ConfigError naming every fault.
 */
export function loadServiceConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
  foreignSections: readonly string[] = [],
): z.output<Schema> {
  const path = env[CONFIG_FILE_VARIABLE];
  return loadConfig(schema, { env, file: path ? readYaml(path) : undefined, foreignSections });
}

function readYaml(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`${path} (named by ${CONFIG_FILE_VARIABLE}) cannot be read: ${reason}`]);
  }
}
