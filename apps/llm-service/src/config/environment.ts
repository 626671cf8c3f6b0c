import { loadServiceConfig } from '@morgan/foundation';
import { FOREIGN_SECTIONS, type LlmServiceConfig, llmServiceConfig } from './llm-service.config.ts';

/** The one place where llm-service reads its environment. */
export function configFromEnvironment(): LlmServiceConfig {
  return loadServiceConfig(llmServiceConfig, withProxyNames(process.env), FOREIGN_SECTIONS);
}

/** Proxies are named in lower case as well, by custom. */
function withProxyNames(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { HTTPS_PROXY = env['https_proxy'], NO_PROXY = env['no_proxy'] } = env;
  return { ...env, HTTPS_PROXY, NO_PROXY };
}
