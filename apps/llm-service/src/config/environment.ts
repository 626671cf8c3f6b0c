import { CONFIG_FILE_VARIABLE, loadServiceConfig } from '@morgan/foundation';
import { FOREIGN_SECTIONS, type LlmServiceConfig, llmServiceConfig } from './llm-service.config.ts';

/** The one place where llm-service reads its environment. */
export function configFromEnvironment(): LlmServiceConfig {
  return loadServiceConfig(llmServiceConfig, process.env, FOREIGN_SECTIONS);
}

/** The configuration file, where there is one. */
export function configFile(): string | undefined {
  return process.env[CONFIG_FILE_VARIABLE]?.trim() || undefined;
}
