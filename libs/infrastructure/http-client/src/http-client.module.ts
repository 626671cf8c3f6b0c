import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpClient } from './http-client.ts';

/** Provides a client that the application has made; starts it with the application and stops it when that shuts down. */
@Module({})
export class HttpClientModule implements OnModuleInit, OnApplicationShutdown {
  static register(client: HttpClient): DynamicModule {
    return {
      module: HttpClientModule,
      providers: [{ provide: HttpClient, useValue: client }],
      exports: [HttpClient],
    };
  }

  constructor(@Inject(HttpClient) private readonly client: HttpClient) {}

  onModuleInit(): Promise<void> {
    return this.client.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.client.stop();
  }
}
