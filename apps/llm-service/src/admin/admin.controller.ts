import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags, contextOf, type HttpRequest } from '@morgan/http-server';
import type { ServiceLogger } from '@morgan/telemetry';
import type { ConfigReloader } from '../reload/config-reloader.ts';
import { type ExplainRequest, explainSchema, type WeightRequest, weightSchema } from './admin.schemas.ts';
import type { HostFleet } from './host-fleet.ts';
import type { RequestExplainer } from './request-explainer.ts';

/** What the admin API works with. */
export class AdminParts {
  constructor(
    readonly fleet: HostFleet,
    readonly explainer: RequestExplainer,
    readonly reloader: ConfigReloader,
    readonly logger: ServiceLogger,
  ) {}
}

const CIRCUITS = { open: 'open', close: 'closed', auto: 'auto' } as const;

/** What operators ask and do while the service runs. Every change is a line in the log; a restart forgets them all. */
@ApiTags('admin')
@Controller('admin')
export class AdminController {
  constructor(private readonly parts: AdminParts) {}

  @Get('hosts')
  @ApiOperation({ summary: 'All hosts, with everything that is known of them.' })
  hosts() {
    return { hosts: this.parts.fleet.list() };
  }

  @Get('hosts/:name')
  @ApiOperation({ summary: 'One host.' })
  host(@Param('name') name: string) {
    return this.parts.fleet.one(name);
  }

  @Post('hosts/:name/enable')
  @HttpCode(200)
  @ApiOperation({ summary: 'Takes a host back that was drained or disabled.' })
  enable(@Param('name') name: string, @Req() request: HttpRequest) {
    // Its first probe is not waited for: `GET` shows what it found.
    void this.parts.fleet.clientOf(name).enableHost(name);
    return this.#done(request, name, 'enable');
  }

  @Post('hosts/:name/drain')
  @HttpCode(200)
  @ApiOperation({ summary: 'Gives a host no new calls; those it has go on, and so do probes.' })
  drain(@Param('name') name: string, @Req() request: HttpRequest) {
    this.parts.fleet.clientOf(name).drainHost(name);
    return this.#done(request, name, 'drain');
  }

  @Post('hosts/:name/disable')
  @HttpCode(200)
  @ApiOperation({ summary: 'Gives a host no new calls and no probes.' })
  disable(@Param('name') name: string, @Req() request: HttpRequest) {
    this.parts.fleet.clientOf(name).disableHost(name);
    return this.#done(request, name, 'disable');
  }

  @Post('hosts/:name/weight')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sets the share of a host, until the configuration has another one for it.' })
  weigh(
    @Param('name') name: string,
    @Body({ schema: weightSchema }) { weight }: WeightRequest,
    @Req() request: HttpRequest,
  ) {
    this.parts.fleet.clientOf(name).setHostWeight(name, weight);
    return this.#done(request, name, 'weight', { weight });
  }

  @Post('hosts/:name/breaker/:action')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Holds the breaker of a host: `open`, `close`, or `auto` to let it decide again.',
  })
  breaker(@Param('name') name: string, @Param('action') action: string, @Req() request: HttpRequest) {
    if (!Object.hasOwn(CIRCUITS, action))
      throw new AppError('unknown_url', 'A breaker can be told to open, close or auto.', { param: 'action' });
    this.parts.fleet.clientOf(name).setHostCircuit(name, CIRCUITS[action as keyof typeof CIRCUITS]);
    return this.#done(request, name, 'breaker', { breaker: action });
  }

  @Post('hosts/:name/forget-rests')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ends every rest of a host, its models and its paths.' })
  forgetRests(@Param('name') name: string, @Req() request: HttpRequest) {
    this.parts.fleet.clientOf(name).forgetRests(name);
    return this.#done(request, name, 'forget_rests');
  }

  @Post('reload')
  @HttpCode(200)
  @ApiOperation({ summary: 'Loads the configuration again; the answer says what changed, or every fault.' })
  reload() {
    return this.parts.reloader.reload('admin');
  }

  @Post('explain')
  @HttpCode(200)
  @ApiOperation({ summary: 'How a request would be routed now, and why not otherwise. Nothing is sent.' })
  explain(@Body({ schema: explainSchema }) asked: ExplainRequest) {
    return this.parts.explainer.explain(asked);
  }

  #done(request: HttpRequest, host: string, action: string, details: Record<string, unknown> = {}) {
    const { id } = contextOf(request);
    this.parts.logger.warn({ requestId: id, host, action, ...details }, 'an operator changed a host');
    return this.parts.fleet.one(host);
  }
}
