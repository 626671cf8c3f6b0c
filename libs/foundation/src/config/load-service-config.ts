import type { z } from 'zod';
import { loadConfig } from './load-config.ts';
import { valueOf, type Variables } from './variables.ts';
import { readYamlFile } from './yaml-file.ts';

/** The environment variable that names the YAML configuration file. */
export const CONFIG_FILE_VARIABLE = 'MORGAN_CONFIG';

/** What the tools of this project send as a caller: no setting of a service, and no typing error for `API_KEYS`. */
const CALLERS_VARIABLE = 'MORGAN_API_KEY';

/** By custom these are written in lower case as well. */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'ALL_PROXY'] as const;

/**
 * Loads the configuration of a service from its environment and, where `MORGAN_CONFIG` names one, its YAML file.
 * One file may serve several services: `foreignSections` are the top-level keys that belong to the others.
 * @throws ConfigError naming every fault.
 */
export function loadServiceConfig<Schema extends z.ZodObject>(
  schema: Schema,
  variables: Variables,
  foreignSections: readonly string[] = [],
): z.output<Schema> {
  const env = withProxyNames(variables);
  const path = valueOf(env, CONFIG_FILE_VARIABLE);
  const file = path ? readYamlFile(path, `${path} (named by ${CONFIG_FILE_VARIABLE})`) : undefined;
  const ofCallers = valueOf(env, CALLERS_VARIABLE) === undefined ? [] : [CALLERS_VARIABLE];
  const otherVariables = [CONFIG_FILE_VARIABLE, ...PROXY_VARIABLES, ...ofCallers];
  return loadConfig(schema, { env, file, foreignSections, otherVariables });
}

/** Where both spellings are there the one in capitals counts, and `ALL_PROXY` for whatever has no proxy of its own. */
function withProxyNames(variables: Variables): Variables {
  const env: Record<string, string | undefined> = { ...variables };
  for (const name of PROXY_VARIABLES) {
    env[name] ??= env[name.toLowerCase()];
    delete env[name.toLowerCase()];
  }
  env['HTTPS_PROXY'] ??= env['ALL_PROXY'];
  env['HTTP_PROXY'] ??= env['ALL_PROXY'];
  return env;
}
