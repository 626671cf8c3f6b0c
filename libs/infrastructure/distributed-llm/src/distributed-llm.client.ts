import type { IncomingHttpHeaders } from 'node:http';
import type { CallContext, Probe, ProbeResult } from '@morgan/foundation';
import type { ResponseBody, TransportRequest, TransportResponse } from '@morgan/http-transport';
import { allHostsFailed, type FailedTry } from './call-error.ts';
import { headersFromHost, headersToHost } from './forwarded-headers.ts';
import { Host, type HostStatus, type ModelObject } from './host.ts';
import type { LlmHost } from './host-list.ts';
import { HostProber, type HostProberOptions } from './host-prober.ts';
import { HostSelector } from './host-selector.ts';
import { Upstream, type UpstreamOptions } from './upstream.ts';

/** A client's hosts, what it works with, and its times in milliseconds. The configuration section has all the times. */
export interface DistributedLlmOptions extends UpstreamOptions, HostProberOptions {
  readonly hosts: readonly LlmHost[];
  /** How the client shows among the probes. Default `llm_hosts`, required. */
  readonly probe?: { readonly name: string; readonly required: boolean };
}

/** A call for whichever host is best. */
export interface HostRequest {
  readonly method: TransportRequest['method'];
  /** Below the host's base URL, starting with a slash: `/chat/completions`. */
  readonly path: string;
  /** The caller's headers; only an allow-list of them is passed on. */
  readonly headers: IncomingHttpHeaders;
  /** Passed on byte for byte. */
  readonly body?: Buffer | undefined;
  /** Hosts that list this model come first. */
  readonly model?: string | undefined;
}

/** A host's answer. The body must be read to its end or destroyed, or its connection is held for ever. */
export interface HostResponse {
  /** The configured name of the host that answered. */
  readonly host: string;
  readonly status: number;
  /** End-to-end headers, names and values in turn, as the host sent them. */
  readonly headers: string[];
  readonly contentType: string | undefined;
  /** The host's bytes. Breaks with `stream_interrupted` or `client_closed_request`. */
  readonly body: ResponseBody;
  /** How many hosts were tried, this one included. */
  readonly attempts: number;
}

/**
 * Many OpenAI-compatible hosts as one. A call goes to the best host and on to the next one while nothing of an answer
 * has been handed out; each host is tried at most once. Knows nothing of what is asked or answered.
 */
export class DistributedLlmClient implements Probe {
  readonly name: string;
  readonly required: boolean;
  readonly #options: DistributedLlmOptions;
  readonly #hosts: readonly Host[];
  readonly #selector: HostSelector;
  readonly #upstream: Upstream;
  readonly #prober: HostProber;

  constructor(options: DistributedLlmOptions) {
    this.#options = options;
    this.name = options.probe?.name ?? 'llm_hosts';
    this.required = options.probe?.required ?? true;
    this.#hosts = options.hosts.map((host) => new Host(host));
    this.#selector = new HostSelector(this.#hosts);
    this.#upstream = new Upstream(options);
    this.#prober = new HostProber(this.#hosts, options);
    options.metrics.watch(this.#hosts);
  }

  /** Probes every host once, then keeps probing. Takes at most the probe timeout and never rejects. */
  start(): Promise<void> {
    return this.#prober.start();
  }

  /** Ends the probes. Calls in flight go on: their sockets are the transport's. */
  stop(): void {
    this.#prober.stop();
  }

  /**
   * Resolves when an answer has begun: 2xx, or a 4xx that is the caller's to read.
   * @throws AppError `no_host_available`, `host_timeout` or `host_error` when every host failed, by the last one's
   * fault; `host_rejected_credentials`; `client_closed_request`.
   */
  async send(request: HostRequest, context: CallContext): Promise<HostResponse> {
    const { method, path, headers, body, model } = request;
    const { id, signal } = context;
    const call = { method, path, headers: headersToHost(headers, id), body, signal, id };
    const tried = new Set<Host>();
    let last: FailedTry | undefined;
    for (;;) {
      const host = this.#selector.next(model, tried);
      if (last) this.#report(last, host, context);
      if (!host) throw allHostsFailed(tried.size, last);
      tried.add(host);
      const attempt = await this.#upstream.try(host, call);
      if (attempt.kind === 'answered') return present(host, attempt.response, tried.size);
      last = attempt;
    }
  }

  /** The models of all usable hosts as the hosts describe them; of equal ids the first. */
  models(): readonly ModelObject[] {
    const byId = new Map<string, ModelObject>();
    for (const host of this.#hosts) {
      if (host.state !== 'usable') continue;
      for (const model of host.models) if (!byId.has(model.id)) byId.set(model.id, model);
    }
    return [...byId.values()];
  }

  getStatus(): readonly HostStatus[] {
    return this.#hosts.map((host) => host.getStatus());
  }

  /** Up while at least one host is usable. */
  read(): ProbeResult {
    return {
      up: this.#hosts.some(({ state }) => state === 'usable'),
      details: Object.fromEntries(this.#hosts.map(({ name, state }) => [name, state])),
    };
  }

  #report({ host, fault, cause }: FailedTry, next: Host | undefined, { id }: CallContext): void {
    const fields = { requestId: id, host: host.name, reason: fault, cause };
    if (!next) return this.#options.logger.warn(fields, 'host failed, and none is left to try');
    this.#options.metrics.failedOver(fault);
    this.#options.logger.warn({ ...fields, next: next.name }, 'host failed, trying another');
  }
}

function present(host: Host, response: TransportResponse, attempts: number): HostResponse {
  return {
    host: host.name,
    status: response.status,
    headers: headersFromHost(response.rawHeaders),
    contentType: response.headers['content-type'],
    body: response.body,
    attempts,
  };
}
