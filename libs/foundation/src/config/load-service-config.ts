import type { z } from 'zod';
import { loadConfig } from './load-config.ts';
import { readYamlFile } from './yaml-file.ts';

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
  const file = path ? readYamlFile(path, `${path} (named by ${CONFIG_FILE_VARIABLE})`) : undefined;
  return loadConfig(schema, { env, file, foreignSections });
}
