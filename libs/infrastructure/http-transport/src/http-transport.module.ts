import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { HttpTransport, type HttpTransportOptions } from './http-transport.ts';

const GRACE_MS = Symbol('GRACE_MS');

/** Provides an {@link HttpTransport} to whoever asks for it by its class, and closes it when the application shuts down. */
@Module({})
export class HttpTransportModule implements OnApplicationShutdown {
  constructor(
    @Inject(HttpTransport) private readonly transport: HttpTransport,
    @Inject(GRACE_MS) private readonly graceMs: number,
  ) {}

  /** @param graceMs how long a shutdown waits for what is in flight, in milliseconds; 1,000 if not given. */
  static register(options: HttpTransportOptions = {}, graceMs = 1_000): DynamicModule {
    return {
      module: HttpTransportModule,
      providers: [
        { provide: HttpTransport, useValue: new HttpTransport(options) },
        { provide: GRACE_MS, useValue: graceMs },
      ],
      exports: [HttpTransport],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.transport.close(this.graceMs);
  }
}
