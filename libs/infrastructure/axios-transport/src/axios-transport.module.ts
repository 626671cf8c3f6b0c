import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { HttpService } from '@nestjs/axios';
import type { RequestSender } from '@morgan/http-transport';
import axios, { type CreateAxiosDefaults } from 'axios';
import { axiosAdapter } from './axios-adapter.ts';

/** What Nest's `HttpService` is made of. */
export interface AxiosTransportModuleOptions {
  /** A transport, bare or with policies around it. Who made it closes it. */
  readonly sender: RequestSender;
  /** Axios' defaults, such as `baseURL`. */
  readonly defaults?: CreateAxiosDefaults;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<AxiosTransportModuleOptions>().build();

/** Nest's own `HttpService` over a transport. */
@Module({
  providers: [
    {
      provide: HttpService,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: ({ sender, defaults }: AxiosTransportModuleOptions) =>
        new HttpService(axios.create({ ...defaults, adapter: axiosAdapter(sender) })),
    },
  ],
  exports: [HttpService],
})
export class AxiosTransportModule extends ConfigurableModuleClass {}
