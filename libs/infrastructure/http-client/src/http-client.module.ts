import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpClient, type HttpClientParts } from './http-client.ts';
import type { HttpClientOptions } from './http-client.config.ts';

/** What the client of a module is made of. */
export interface HttpClientModuleOptions {
  readonly options: HttpClientOptions;
  readonly parts?: HttpClientParts;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<HttpClientModuleOptions>().build();

/** Makes a client, provides it under its class, starts it with the application and stops it when that shuts down. */
@Module({
  providers: [
    {
      provide: HttpClient,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: ({ options, parts }: HttpClientModuleOptions) => new HttpClient(options, parts),
    },
  ],
  exports: [HttpClient],
})
export class HttpClientModule extends ConfigurableModuleClass implements OnModuleInit, OnApplicationShutdown {
  constructor(@Inject(HttpClient) private readonly client: HttpClient) {
    super();
  }

  onModuleInit(): Promise<void> {
    return this.client.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.client.stop();
  }
}
