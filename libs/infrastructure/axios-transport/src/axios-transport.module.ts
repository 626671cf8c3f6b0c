import { type DynamicModule, Module } from '@nestjs/common';
import { HttpModule, type HttpModuleOptions } from '@nestjs/axios';
import type { HttpTransport } from '@morgan/http-transport';
import { axiosAdapter } from './axios-adapter.ts';

/** Nest's own `HttpService`, with axios' defaults, over our transport. Who made the transport closes it. */
@Module({})
export class AxiosTransportModule {
  static register(transport: HttpTransport, defaults: HttpModuleOptions = {}): DynamicModule {
    const http = HttpModule.register({ ...defaults, adapter: axiosAdapter(transport) });
    return { module: AxiosTransportModule, imports: [http], exports: [http] };
  }
}
