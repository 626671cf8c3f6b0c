import {
  type CallAssessor,
  type HealthIndicator,
  type Logger,
  parseSettings,
  retryAfterMs,
  silentLogger,
} from '@morgan/foundation';
import type { IndicatorPresentation } from '@morgan/health-monitor';
import {
  HttpTransport,
  type HttpTransportOptions,
  type OriginStatus,
  type RequestSender,
  type TransportRequest,
  type TransportResponse,
} from '@morgan/http-transport';
import type { RedisConnection } from '@morgan/redis';
import { CallAttempts, type Taking } from './call-attempts.ts';
import type { ClientCall, CallOptions } from './client-call.ts';
import { ClientCalls } from './client-calls.ts';
import { ClientPolicies } from './client-policies.ts';
import type { HttpClientStatus } from './client-status.ts';
import { type HttpClientConfig, httpClientConfig, type HttpClientSettings } from './http-client.config.ts';
import { closedError, statusError } from './http-client-error.ts';
import type { CallCounter, HttpClientMetrics } from './http-client-metrics.ts';
import type { ResponseHead, StreamingResponse } from './response-head.ts';
import { HttpResponse } from './http-response.ts';
import { RequestBuilder, type RequestOptions, UnsendableRequest } from './request-builder.ts';
import { ServiceHealth } from './service-health.ts';
import { transportOptions } from './transport-options.ts';
import { UnwantedStatus } from './unwanted-status.ts';

/** What a client uses. */
export interface HttpClientParts {
  readonly logger?: Logger | undefined;
  /** Made once per process. */
  readonly metrics?: HttpClientMetrics | undefined;
  /** Shares the rate limit with every process that has a client of this `serviceName`. */
  readonly redis?: RedisConnection | undefined;
  /** Decides what an ended attempt says about the service. Default: `assessCall` of the foundation, which goes by the status. */
  readonly assess?: CallAssessor | undefined;
  /** How names are resolved, in place of Node's way. */
  readonly lookup?: HttpTransportOptions['lookup'];
}

/** What a {@link HttpClient} is made of. */
export interface HttpClientOptions extends HttpClientSettings, HttpClientParts {}

/** A call with all that it may say. */
export type CallRequest = RequestOptions & CallOptions;

/** A call whose response is read as a whole. */
export interface WholeCallRequest extends CallRequest {
  /**
   * Looks at a response below 400. What it throws is a failure of the attempt: of an `AppError` the kind says what the circuit breaker
   * thinks of the service, and whether it is asked again. The call ends with it as the `cause`.
   */
  readonly check?: ((response: HttpResponse) => void) | undefined;
  /** The status that a response below 400 stands for, where it is an error all the same: then it is `refused` like one with that status. */
  readonly statusWithin?: ((response: HttpResponse) => number | undefined) | undefined;
  /**
   * The same for one of 400 or above. Where it throws nothing the attempt fails with an `HttpClientError` that has the response, so
   * that whoever assesses it knows what the service has said.
   */
  readonly refused?: ((response: HttpResponse) => void) | undefined;
}

const DEFAULT_GRACE_MS = 5_000;
type HttpMethod = TransportRequest['method'];

/**
 * A client of one service: a transport with deadline, budget, retry, breaker and, where they are configured, rate limit,
 * bulkhead, hedging and health checks around it. A response of 400 or above is an error; redirects are not followed.
 */
export class HttpClient implements RequestSender, AsyncDisposable {
  readonly serviceName: string;
  /** For those who must look at one of them, or open and close the circuit by hand. */
  readonly policies: ClientPolicies;
  readonly #config: HttpClientConfig;
  readonly #builder: RequestBuilder;
  readonly #transport: HttpTransport;
  readonly #health: ServiceHealth | undefined;
  readonly #attempts: CallAttempts;
  readonly #calls: ClientCalls;
  readonly #counter: CallCounter | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws ConfigError when an option is unknown or out of its bounds. */
  constructor({ logger = silentLogger, metrics, redis, assess, lookup, ...settings }: HttpClientOptions) {
    const config = parseSettings(httpClientConfig, settings);
    const { serviceName, baseUrl, headers } = config;
    this.#config = config;
    this.serviceName = serviceName;
    this.#builder = new RequestBuilder(baseUrl, headers);
    this.#transport = new HttpTransport(transportOptions(config, lookup));
    this.policies = new ClientPolicies(config, { logger, metrics: metrics?.policies, redis, assess });
    this.#health = this.#healthOf(logger, metrics);
    this.#attempts = new CallAttempts({
      policies: this.policies,
      transport: this.#transport,
      health: this.#health,
    });
    this.#counter = metrics?.watch(this);
    this.#calls = new ClientCalls(config, this.#counter);
  }

  /** Begins the health checks, if there are any, and resolves after the first. Calls may be made before. */
  async start(): Promise<void> {
    await this.#health?.start();
  }

  /** Refuses new calls, waits at most `graceMs` (5,000) for those under way, then ends them. Nothing is left behind. */
  stop(graceMs = DEFAULT_GRACE_MS): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Like the four below it: resolves with a whole response below 400. @throws HttpClientError */
  get(path: string, request?: WholeCallRequest): Promise<HttpResponse> {
    return this.#whole('GET', path, request);
  }

  post(path: string, request?: WholeCallRequest): Promise<HttpResponse> {
    return this.#whole('POST', path, request);
  }

  put(path: string, request?: WholeCallRequest): Promise<HttpResponse> {
    return this.#whole('PUT', path, request);
  }

  patch(path: string, request?: WholeCallRequest): Promise<HttpResponse> {
    return this.#whole('PATCH', path, request);
  }

  delete(path: string, request?: WholeCallRequest): Promise<HttpResponse> {
    return this.#whole('DELETE', path, request);
  }

  /** Resolves when a response below 400 has begun; from there on nothing is repeated. @throws HttpClientError */
  async stream(method: HttpMethod, path: string, request: CallRequest = {}): Promise<StreamingResponse> {
    const call = this.#begin(request);
    const response = await this.#perform(
      call,
      () => ({ ...this.#build(call, method, path, request), bodyFault: call.bodyError }),
      (begun) => call.accept(begun),
    );
    call.finishWith(response);
    return { ...headOf(response, call), body: response.body };
  }

  /**
   * For whoever works on the level of the transport: the same policies, and whatever response came last, of any status. The
   * origin must be that of the base URL, whose path is not put in front.
   */
  async request(request: TransportRequest): Promise<TransportResponse> {
    const call = this.#begin(request);
    const response = await call.run(async (context) => {
      if (request.origin !== this.#builder.origin)
        throw new UnsendableRequest('The origin is not that of the client.');
      const outgoing = { ...request, bodyFault: request.bodyFault ?? call.bodyError };
      return this.#attempts.run(call, outgoing, context, (begun) => call.accept(begun)).catch(responseBehind);
    });
    call.finishWith(response);
    return response;
  }

  /**
   * For the health endpoint of a service: up as the checks say. Without `health`: while the circuit is not open, and again
   * when its wait is over, because only a call can close it.
   */
  indicator({ name = this.serviceName, required = true }: IndicatorPresentation = {}): HealthIndicator {
    if (this.#health) return this.#health.indicator({ name, required });
    const { breaker } = this.policies.attempts;
    return {
      name,
      required,
      read: () => ({
        up: breaker.state !== 'OPEN' || breaker.allows(),
        details: { circuit: breaker.state },
      }),
    };
  }

  /** Right now. */
  get connections(): OriginStatus {
    return this.#transport.statusOf(this.#builder.origin);
  }

  getStatus(): HttpClientStatus {
    const { attempts, retry, hedge } = this.policies;
    const health = this.#health?.getStatus();
    return {
      serviceName: this.serviceName,
      baseUrl: this.#config.baseUrl,
      state: this.#stopped ? 'closed' : 'open',
      ...this.#calls.figures(),
      ...attempts.getStatus(),
      retry: retry.getStatus(),
      pool: this.connections,
      ...(hedge && { hedge: hedge.getStatus() }),
      ...(health && { health }),
    };
  }

  async #stop(graceMs: number): Promise<void> {
    this.#health?.stop();
    await this.#calls.end(graceMs);
    this.policies.attempts.stop();
    this.#counter?.stopped();
    await this.#transport.close(0);
  }

  async #whole(method: HttpMethod, path: string, request: WholeCallRequest = {}): Promise<HttpResponse> {
    const call = this.#begin(request);
    const { maxResponseBytes } = this.#config;
    const result = await this.#perform(
      call,
      () => this.#build(call, method, path, request),
      async (received) => {
        // No compression is asked for, and some servers and what stands before them choose one all the same.
        const response = received.decoded();
        if (request.refused && response.status >= 400) {
          const refusal = await this.#readRefusal(call, response);
          request.refused(refusal);
          throw statusError(refusal, call);
        }
        call.accept(response);
        const whole = new HttpResponse(headOf(response, call), await response.bytes(maxResponseBytes));
        const status = request.statusWithin?.(whole);
        if (status !== undefined)
          this.#refuseWithin(
            call,
            new HttpResponse({ ...whole, status, sentStatus: whole.status }, whole.body),
            request,
          );
        request.check?.(whole);
        return whole;
      },
    );
    call.finish();
    return result;
  }

  #begin(options: CallOptions): ClientCall {
    if (this.#stopped) throw closedError(this.serviceName);
    return this.#calls.begin(options);
  }

  #perform<Result>(call: ClientCall, build: () => TransportRequest, taking: Taking<Result>): Promise<Result> {
    return call.run(async (context) => {
      try {
        return await this.#attempts.run(call, build(), context, taking);
      } catch (error) {
        return await this.#explain(call, error);
      }
    });
  }

  #build(call: ClientCall, method: HttpMethod, path: string, request: CallRequest): TransportRequest {
    const outgoing = this.#builder.build(method, path, request);
    outgoing.headers.push('x-request-id', call.id);
    return { ...outgoing, origin: this.#builder.origin };
  }

  /** A response that is an error is worth reading: it says why. */
  async #explain(call: ClientCall, error: unknown): Promise<never> {
    if (!(error instanceof UnwantedStatus)) throw error;
    throw statusError(await this.#readRefusal(call, error.response), call);
  }

  async #readRefusal(call: ClientCall, response: TransportResponse): Promise<HttpResponse> {
    // What breaks or is too large to be read must not hide the status.
    const body = await response.bytes(this.#config.maxResponseBytes).catch(() => Buffer.alloc(0));
    return new HttpResponse(headOf(response, call), body);
  }

  /** A refusal that came with a good status: what is done after one with its own. */
  #refuseWithin(call: ClientCall, refusal: HttpResponse, { refused }: WholeCallRequest): never {
    if (refusal.status === 429) void this.policies.attempts.slowDown(retryAfterMs(refusal.headers));
    refused?.(refusal);
    throw statusError(refusal, call);
  }

  #healthOf(logger: Logger, metrics: HttpClientMetrics | undefined): ServiceHealth | undefined {
    const { health, serviceName } = this.#config;
    if (!health) return undefined;
    const { path, ...checks } = health;
    return new ServiceHealth(checks, {
      serviceName,
      transport: this.#transport,
      request: { ...this.#builder.build('GET', path), origin: this.#builder.origin },
      logger,
      metrics: metrics?.policies.health,
    });
  }
}

function headOf({ status, headers }: TransportResponse, { serviceName, attempt }: ClientCall): ResponseHead {
  return { status, headers, serviceName, attempt };
}

/** For callers who want any response: the one that was refused, if that is why the call failed. @throws the error, if not. */
function responseBehind(error: unknown): TransportResponse {
  if (error instanceof UnwantedStatus) return error.response;
  throw error;
}
