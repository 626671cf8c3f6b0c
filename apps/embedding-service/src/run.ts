import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeEmbeddingService } from './compose.ts';
import { configFromEnvironment } from './config/environment.ts';

/** Runs embedding-service until `stop` aborts. */
export function run(stop: AbortSignal): Promise<void> {
  return runService('embedding-service', stop, async () => {
    const service = await composeEmbeddingService(configFromEnvironment());
    process.on('SIGHUP', () =>
      service.logger.warn({}, 'SIGHUP changes nothing: the configuration is read at the start only'),
    );
    return service;
  });
}
