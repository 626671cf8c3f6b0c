import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeLlmService } from './compose.ts';
import { configFromEnvironment } from './config/environment.ts';

await runService('llm-service', () => composeLlmService(configFromEnvironment()));
