import { CONFIG_FILE_VARIABLE, loadServiceConfig } from '@morgan/foundation';
import { FOREIGN_SECTIONS, type LlmServiceConfig, llmServiceConfig } from './llm-service.config.ts';

/** The one place where llm-service reads its environment. */
export function configFromEnvironment(): LlmServiceConfig {
  return loadServiceConfig(llmServiceConfig, withProxyNames(process.env), FOREIGN_SECTIONS);
}

/** The configuration file, where there is one. */
export function configFile(): string | undefined {
  return process.env[CONFIG_FILE_VARIABLE] || undefined;
}

/** Proxies are named in lower case as well, by custom. */
function withProxyNames(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { HTTPS_PROXY = env['https_proxy'], NO_PROXY = env['no_proxy'] } = env;
  const { HTTP_PROXY = env['http_proxy'] } = env;
  return { ...env, HTTPS_PROXY, HTTP_PROXY, NO_PROXY };
}
