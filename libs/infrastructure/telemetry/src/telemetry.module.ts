import { setImmediate } from 'node:timers/promises';
import { Controller, type DynamicModule, Get, Header, Module, Res } from '@nestjs/common';
import { Metrics } from './metrics.ts';

/** The part of a reply that the metrics endpoint needs. */
interface TextReply {
  type(contentType: string): { send(body: string): unknown };
}

/** `GET /metrics` in Prometheus format. */
@Controller()
class MetricsController {
  #rendering: Promise<string> | undefined;

  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @Header('cache-control', 'no-store')
  async read(@Res() reply: TextReply): Promise<void> {
    reply.type(this.metrics.contentType).send(await this.#text());
  }

  /** It takes milliseconds, in which nobody else has a turn: all who ask in one turn of the event loop get the same. */
  #text(): Promise<string> {
    this.#rendering ??= setImmediate().then(() => {
      this.#rendering = undefined;
      return this.metrics.render();
    });
    return this.#rendering;
  }
}

/** Serves the given metrics on `/metrics`. */
@Module({})
export class TelemetryModule {
  static register(metrics: Metrics): DynamicModule {
    return {
      module: TelemetryModule,
      controllers: [MetricsController],
      providers: [{ provide: Metrics, useValue: metrics }],
    };
  }
}
