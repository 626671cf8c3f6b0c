import 'reflect-metadata';
import { runService } from '@morgan/http-server';
import { composeEmbeddingService } from './compose.ts';
import { configFromEnvironment } from './config/environment.ts';

await runService('embedding-service', () => composeEmbeddingService(configFromEnvironment()));
