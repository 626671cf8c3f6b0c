import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeLlmService } from './compose.ts';
import { configFile, configFromEnvironment } from './config/environment.ts';
import { digestOf } from './reload/file.watcher.ts';

/** Runs llm-service until `stop` aborts. SIGHUP loads its configuration again. */
export function run(stop: AbortSignal): Promise<void> {
  return runService('llm-service', stop, async () => {
    const file = configFile();
    // Before it is loaded: what changes from then on is found, however long the rest takes.
    const digest = file && digestOf(file);
    const source = { load: configFromEnvironment, file, digest };
    const service = await composeLlmService(source.load(), source);
    process.on('SIGHUP', () => void service.reload('signal'));
    return service;
  });
}
