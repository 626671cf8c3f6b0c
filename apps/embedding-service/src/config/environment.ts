import { loadServiceConfig } from '@morgan/foundation';
import {
  type EmbeddingServiceConfig,
  embeddingServiceConfig,
  FOREIGN_SECTIONS,
} from './embedding-service.config.ts';

/** The one place where embedding-service reads its environment. */
export function configFromEnvironment(): EmbeddingServiceConfig {
  return loadServiceConfig(embeddingServiceConfig, process.env, FOREIGN_SECTIONS);
}
