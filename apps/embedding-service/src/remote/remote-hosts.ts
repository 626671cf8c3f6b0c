import { AppError, type CallContext, type Logger, retryAfterMs } from '@morgan/foundation';
import {
  type Availability,
  HttpClient,
  type HttpClientMetrics,
  type HttpClientOptions,
  type HttpResponse,
} from '@morgan/http-client';
import { VIA_HEADER } from '@morgan/http-server';
import { RemoteAssessor } from './remote-assessor.ts';
import { CallWay, LOOP, loopOf } from './call-way.ts';
import { failureOf, finalRefusal, inputsRefused, mayFailOver, ownErrorOf } from './remote-failure.ts';
import { isFinal, refusalOf, statusWithinBody } from './remote-refusal.ts';
import { notFinite, readRemoteResponse, type RemoteVectors } from './remote-response.ts';
import type { RemoteConfig } from './remote.config.ts';
import { VectorScales } from './vector-scales.ts';

/** How long a batch may wait for the rate limit of a host. */
const MAX_WAIT_MS = 30_000;
/** The same limit where a local model could compute the batch instead. */
const MAX_WAIT_BESIDE_FALLBACK_MS = 1_000;
/** Longest part of a name that a message holds. */
const MOST_NAME = 100;

/** A host that is started anew is back within seconds, and one call is all that finding out costs. */
const RESET = { resetTimeoutMs: 5_000, maxResetTimeoutMs: 60_000 };
/** A value as JSON has it takes some 20 bytes, and twice that with the indentation of a host that writes for people. */
const BYTES_PER_VALUE = 48;
/** All else in an answer. */
const BYTES_BESIDES = 1024 * 1024;
/** No longer text can be read. */
const MOST_BYTES = 512 * 1024 * 1024 - 1024;

/** What {@link RemoteHosts} works with. */
interface RemoteHostsParts {
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
  readonly #assessors = new Map<HttpClient, RemoteAssessor>();
  /** What each host has called its model so far. */
  readonly #models = new Map<HttpClient, string>();
  readonly #scales = new VectorScales();
  readonly #way: CallWay;

  constructor(parts: RemoteHostsParts) {
    this.#parts = parts;
    this.#way = new CallWay([parts.model, parts.dimensions, parts.config.hosts]);
    const { config, logger, metrics, proxy } = parts;
    const { maxConnections, failureThreshold, requestsPerSecond, burst, apiKey } = config;
    const maxWaitMs = config.fallbackModel === undefined ? MAX_WAIT_MS : MAX_WAIT_BESIDE_FALLBACK_MS;
    // Another host, or the same model here, is the better second try.
    const hasOther = config.hosts.length > 1 || config.fallbackModel !== undefined;
    this.#clients = config.hosts.map((baseUrl, index) => {
      const assessor = new RemoteAssessor(hasOther, () => client.getStatus().latency?.p99Ms);
      const client: HttpClient = new HttpClient({
        serviceName: `embedding-host-${index + 1}`,
        baseUrl,
        headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
        maxResponseBytes: largestResponse(config.batchSize, parts.dimensions),
        pool: { maxConnections },
        proxy,
        circuitBreaker: { failureThreshold, ...RESET },
        rateLimit: { requestsPerSecond, burst, maxWaitMs },
        ...(hasOther ? { retry: { maxRetries: 0 } } : {}),
        logger,
        metrics,
        assess: assessor.assess,
      });
      this.#assessors.set(client, assessor);
      return client;
    });
  }

  /** @throws AppError `request_loop` where these hosts have been asked for the same already, and lead back here */
  checkWay(via: string | undefined): void {
    this.#way.check(via);
  }

  /** The vectors of a batch, from the first host that gives usable ones. @throws AppError */
  async embed(input: readonly unknown[], context: CallContext): Promise<RemoteVectors> {
    const { logger } = this.#parts;
    const errors: unknown[] = [];
    for (const client of this.#inTurn()) {
      try {
        return await this.#ask(client, input, context);
      } catch (caught) {
        const error = ownErrorOf(caught);
        errors.push(error);
        if (!mayFailOver(error)) break;
        logger.warn({ host: client.serviceName, error }, 'an embedding host failed; the next one is tried');
      }
    }
    throw failureOf(errors);
  }

  async #ask(
    client: HttpClient,
    input: readonly unknown[],
    { id, signal, deadline, via }: CallContext,
  ): Promise<RemoteVectors> {
    const { model, dimensions } = this.#parts;
    // No `encoding_format`: numbers are what all hosts give without it, and some refuse to hear of them.
    const json = { model, input };
    const read: { vectors?: RemoteVectors } = {};
    // Within the attempt: a host whose answers are of no use is one that fails.
    const check = (response: HttpResponse) => {
      read.vectors = readRemoteResponse(response, input.length, dimensions);
      this.#checkModel(client, read.vectors.model);
      this.#checkScale(client, read.vectors.vectors);
    };
    const refused = (response: HttpResponse) => {
      this.#assessors.get(client)?.refused(response, input);
      this.#heed(client, response, Buffer.from(JSON.stringify(json)));
    };
    const statusWithin = (response: HttpResponse) => statusWithinBody(response, json);
    const headers = { [VIA_HEADER]: this.#way.after(via) };
    const judged = { statusWithin, check, refused };
    await client.post('/embeddings', { json, headers, signal, deadline, requestId: id, ...judged });
    return read.vectors as RemoteVectors;
  }

  /** @throws AppError where another attempt would be for nothing: `invalid_value` of inputs, whatever the status, `vector_not_finite`, `host_rejected_credentials` of a spent account, `host_error` of a missing model, `request_loop` */
  #heed({ policies }: HttpClient, response: HttpResponse, request: Buffer): void {
    const { status, headers } = response;
    const refusal = refusalOf(response, request);
    const { name, subject, waitMs } = refusal;
    if (name === LOOP) throw loopOf(response);
    if (subject === 'inputs') throw inputsRefused(response);
    if (subject === 'values') throw notFinite();
    if (isFinal(refusal, status)) throw finalRefusal(response);
    // After a 429 the client itself does what the headers say.
    const isHeeded = status === 429 && waitMs === retryAfterMs(headers);
    if (subject === 'limit' && !isHeeded) void policies.attempts.slowDown(waitMs);
  }

  /** In their order, but first those that would be asked at once, then who has the shortest wait: for its limit, or as it has said. */
  #inTurn(): HttpClient[] {
    return this.#clients
      .map((client) => ({ client, waitMs: waitOf(client.policies.attempts.availability()) }))
      .sort((one, other) => one.waitMs - other.waitMs)
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

  /** @throws AppError `host_error` where hosts before it scale their vectors and it does not, or the other way round */
  #checkScale(client: HttpClient, vectors: readonly Float32Array[]): void {
    const other = this.#scales.contradicted(this.#clients.indexOf(client), vectors);
    if (other === undefined) return;
    const message = `Of ${client.serviceName} and ${this.#clients[other]?.serviceName} one scales its vectors to length 1, and the other does not.`;
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

/** The longest answer to a full batch: what is longer is none, and is not read to its end. */
function largestResponse(batchSize: number, dimensions: number): number {
  return Math.min(MOST_BYTES, BYTES_BESIDES + batchSize * dimensions * BYTES_PER_VALUE);
}

/** Of those that would be refused at once those are last, for whom it is not known when that ends. */
function waitOf(availability: Availability): number {
  return availability.available ? 0 : (availability.retryAfterMs ?? Number.MAX_SAFE_INTEGER);
}
