import { Controller, Get, Header, Inject, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@morgan/http-server';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';

export const HEALTH_INDICATORS = Symbol('HEALTH_INDICATORS');

/** The part of a reply that the health endpoints need. */
interface JsonReply {
  status(code: number): { send(body: unknown): unknown };
}

/** Liveness, readiness and full health. All three read snapshots: none of them ever touches the network. */
@ApiTags('operations')
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly results: HealthIndicatorService,
    @Inject(HEALTH_INDICATORS) private readonly indicators: readonly HealthIndicator[],
  ) {}

  @Get('livez')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Is the process alive? Fails only when it cannot answer at all.' })
  live(@Res() reply: JsonReply): Promise<void> {
    return this.#respond(reply, []);
  }

  @Get('readyz')
  @Header('cache-control', 'no-store')
  @ApiOperation({
    summary: 'Should traffic come here? 503 while a required part is down or the service is stopping.',
  })
  ready(@Res() reply: JsonReply): Promise<void> {
    return this.#respond(
      reply,
      this.indicators.filter((indicator) => indicator.required),
    );
  }

  @Get('health')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Every part with its details. 503 while a required part is down.' })
  details(@Res() reply: JsonReply): Promise<void> {
    return this.#respond(reply, this.indicators);
  }

  async #respond(reply: JsonReply, indicators: readonly HealthIndicator[]): Promise<void> {
    try {
      reply
        .status(200)
        .send(await this.health.check(indicators.map((indicator) => () => this.#indicate(indicator))));
    } catch (error) {
      // Terminus reports "down" by throwing; here it is a response like any other.
      if (!(error instanceof ServiceUnavailableException)) throw error;
      reply.status(503).send(error.getResponse());
    }
  }

  #indicate(indicator: HealthIndicator) {
    const { up, details = {} } = indicator.read();
    const result = this.results.check(indicator.name);
    if (up) return result.up(details);
    return indicator.required ? result.down(details) : result.degraded(details);
  }
}
