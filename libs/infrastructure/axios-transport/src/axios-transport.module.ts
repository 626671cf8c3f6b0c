import { type DynamicModule, Module } from '@nestjs/common';
import { HttpModule, type HttpModuleOptions } from '@nestjs/axios';
import type { RequestSender } from '@morgan/http-transport';
import { axiosAdapter } from './axios-adapter.ts';

/** Nest's own `HttpService`, with axios' defaults, over a transport, bare or with policies around it. Who made it closes it. */
@Module({})
export class AxiosTransportModule {
  static register(sender: RequestSender, defaults: HttpModuleOptions = {}): DynamicModule {
    const http = HttpModule.register({ ...defaults, adapter: axiosAdapter(sender) });
    return { module: AxiosTransportModule, imports: [http], exports: [http] };
  }
}
