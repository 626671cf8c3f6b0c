import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeLlmService } from './compose.ts';
import { configFile, configFromEnvironment } from './config/environment.ts';

/** Runs llm-service until `stop` aborts. SIGHUP loads its configuration again. */
export function run(stop: AbortSignal): Promise<void> {
  return runService('llm-service', stop, async () => {
    const source = { load: configFromEnvironment, file: configFile() };
    const service = await composeLlmService(source.load(), source);
    process.on('SIGHUP', () => void service.reload('signal'));
    return service;
  });
}
