import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeLlmService } from './compose.ts';
import { configFromEnvironment } from './config/environment.ts';

/** Runs llm-service until `stop` aborts. */
export function run(stop: AbortSignal): Promise<void> {
  return runService('llm-service', stop, () => composeLlmService(configFromEnvironment()));
}
