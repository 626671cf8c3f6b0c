import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeEmbeddingService } from './compose.ts';
import { configFromEnvironment } from './config/environment.ts';

/** Runs embedding-service until `stop` aborts. */
export function run(stop: AbortSignal): Promise<void> {
  return runService('embedding-service', stop, () => composeEmbeddingService(configFromEnvironment()));
}
