import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpClient, type HttpClientOptions } from './http-client.ts';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<HttpClientOptions>().build();

/** Makes a client, provides it under its class, starts it with the application and stops it when that shuts down. */
@Module({
  providers: [
    {
      provide: HttpClient,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: HttpClientOptions) => new HttpClient(options),
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
