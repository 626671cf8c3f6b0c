import { AppError, type CallContext, type ErrorCode, type Logger } from '@morgan/foundation';
import {
  HttpClient,
  HttpClientError,
  type HttpClientMetrics,
  type HttpClientOptions,
  type HttpResponse,
} from '@morgan/http-client';
import { blamesOurFields, errorNameOf, readRemoteResponse, type RemoteVectors } from './remote-response.ts';
import type { RemoteConfig } from './remote.config.ts';

/** How long a batch may wait for the rate limit of a host. */
const MAX_WAIT_MS = 30_000;
/** The same, where the model here needs no such wait. */
const MAX_WAIT_BESIDE_FALLBACK_MS = 1_000;
/** Longest part of a name that a message holds. */
const MOST_NAME = 100;

/** Statuses that are about the inputs: every host of the same model would say so. */
const INPUT_STATUSES: readonly number[] = [400, 413, 422];

/** What {@link RemoteHosts} works with. */
export interface RemoteHostsParts {
  readonly config: RemoteConfig;
  readonly model: string;
  readonly dimensions: number;
  readonly logger: Logger;
  readonly metrics?: HttpClientMetrics | undefined;
  readonly proxy?: HttpClientOptions['proxy'];
}

/** The hosts of one model: the first that answers usably serves a batch. */
export class RemoteHosts {
  readonly #parts: RemoteHostsParts;
  readonly #clients: readonly HttpClient[];
  /** What each host has called its model so far. */
  readonly #models = new Map<HttpClient, string>();

  constructor(parts: RemoteHostsParts) {
    this.#parts = parts;
    const { config, logger, metrics, proxy } = parts;
    const { maxConnections, failureThreshold, requestsPerSecond, burst, apiKey } = config;
    const maxWaitMs = config.fallbackModel === undefined ? MAX_WAIT_MS : MAX_WAIT_BESIDE_FALLBACK_MS;
    this.#clients = config.hosts.map(
      (baseUrl, index) =>
        new HttpClient(
          {
            serviceName: `embedding-host-${index + 1}`,
            baseUrl,
            headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
            pool: { maxConnections },
            proxy,
            circuitBreaker: { failureThreshold },
            rateLimit: { requestsPerSecond, burst, maxWaitMs },
            // Another host, or the same model here, is the better second try.
            ...(config.hosts.length > 1 || config.fallbackModel !== undefined
              ? { retry: { maxRetries: 0 } }
              : {}),
          },
          { logger, metrics },
        ),
    );
  }

  /** The vectors of a batch, from the first host that gives usable ones. @throws AppError */
  async embed(input: readonly unknown[], context: CallContext): Promise<RemoteVectors> {
    const { logger } = this.#parts;
    let last: unknown;
    for (const client of this.#inTurn()) {
      try {
        return await this.#ask(client, input, context);
      } catch (caught) {
        const error = ownErrorOf(caught);
        last = error;
        if (!mayFailOver(error)) break;
        logger.warn({ host: client.serviceName, error }, 'an embedding host failed; the next one is tried');
      }
    }
    throw appErrorOf(last);
  }

  async #ask(
    client: HttpClient,
    input: readonly unknown[],
    { id, signal, deadline }: CallContext,
  ): Promise<RemoteVectors> {
    const { model, dimensions } = this.#parts;
    const json = { model, input, encoding_format: 'float' };
    const read: { vectors?: RemoteVectors } = {};
    // Within the attempt: a host whose answers are of no use is one that fails.
    const check = (response: HttpResponse) => {
      read.vectors = readRemoteResponse(response, input.length, dimensions);
      this.#checkModel(client, read.vectors.model);
    };
    await client.post('/embeddings', { json, signal, deadline, requestId: id, check });
    return read.vectors as RemoteVectors;
  }

  /** In their order, but first those that would be asked at once: who has reached its limit, or said that it has, can wait. */
  #inTurn(): HttpClient[] {
    return this.#clients
      .map((client) => ({ client, waits: !client.policies.attempts.allows() }))
      .sort((one, other) => Number(one.waits) - Number(other.waits))
      .map(({ client }) => client);
  }

  /** Whether any host would be asked. */
  get up(): boolean {
    return this.#clients.some((client) => client.getStatus().circuitBreaker.state !== 'OPEN');
  }

  getStatus() {
    return this.#clients.map((client) => {
      const { serviceName, circuitBreaker, rateLimit, errorRate } = client.getStatus();
      return { name: serviceName, circuitBreaker, rateLimit, errorRate };
    });
  }

  /** @throws AppError `host_error` for a host that has changed its model: vectors of two models do not belong together */
  #checkModel(client: HttpClient, stated: string | undefined): void {
    if (stated === undefined) return;
    const before = this.#models.get(client) ?? stated;
    this.#models.set(client, before);
    if (plainName(before) === plainName(stated)) return;
    const names = [before, stated].map((name) => `'${name.slice(0, MOST_NAME)}'`).join(', ');
    const message = `${client.serviceName} gives vectors of another model than before: ${names}.`;
    throw new AppError('host_error', message);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop(0)));
  }
}

/** Without owner and tag, which hosts leave out as they like. */
function plainName(model: string): string {
  return model.toLowerCase().replace(/^.*\/|:latest$/g, '');
}

/** What this service itself has said of an answer. */
const OWN_CODES: readonly string[] = ['host_error', 'vector_not_finite'] satisfies ErrorCode[];

function ownErrorOf(error: unknown): unknown {
  return error instanceof HttpClientError && OWN_CODES.includes(error.code) ? error.cause : error;
}

function mayFailOver(error: unknown): boolean {
  if (!(error instanceof HttpClientError)) return error instanceof AppError;
  if (error.category === 'cancelled' || error.code === 'deadline_exceeded') return false;
  return !isAboutInputs(error);
}

/** Not where the host names another field of the request: that is what it is asked with for every input. */
function isAboutInputs({ status, response }: HttpClientError): boolean {
  return status !== undefined && INPUT_STATUSES.includes(status) && !blamesOurFields(response);
}

const CODE_OF_CATEGORY: Partial<Record<HttpClientError['category'], ErrorCode>> = {
  timeout: 'host_timeout',
  rate_limited: 'rate_limited',
  connection: 'no_host_available',
  refused: 'no_host_available',
  closed: 'no_host_available',
  cancelled: 'client_closed_request',
};

function appErrorOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof HttpClientError))
    return new AppError('host_error', 'The embedding host could not be asked.', { cause: error });
  const { status, category, retryAfterMs } = error;
  const parts = { cause: error, retryAfterMs };
  if (error.code === 'deadline_exceeded')
    return new AppError('deadline_exceeded', 'The call was not over by its deadline.', parts);
  if (status === 401 || status === 403)
    return new AppError('host_rejected_credentials', 'The embedding host refused the key.', parts);
  if (isAboutInputs(error)) {
    const name = errorNameOf(error.response);
    const said = name === undefined ? `${status}` : `${status} (${name})`;
    return new AppError('invalid_value', `The embedding host refused the inputs with ${said}.`, parts);
  }
  const code = CODE_OF_CATEGORY[category] ?? 'host_error';
  return new AppError(code, 'No embedding host gave vectors.', parts);
}
