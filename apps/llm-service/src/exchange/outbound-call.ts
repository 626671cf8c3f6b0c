import { AttemptLog, type HostRequest } from '@morgan/distributed-llm';
import type { HttpReply, HttpRequest } from '@morgan/http-server';
import { type Dialect, dialectOf } from '@morgan/llm-protocol';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { hostPathOf } from '../endpoints/host-path.ts';
import type { CallerPermit } from '../callers/caller-permit.ts';
import type { FormUpload } from '../forms/form-upload.ts';
import type { RequestOutline } from '../outline/request-outline.ts';

/** A request as it reached an endpoint. */
export interface IncomingCall {
  /** Of a JSON body. */
  readonly outline: RequestOutline | undefined;
  readonly form?: FormUpload | undefined;
  readonly request: HttpRequest;
  readonly reply: HttpReply;
  /** Where callers have limits. */
  readonly permit?: CallerPermit | undefined;
}

/** What is asked of a host. */
export interface OutboundCall {
  /** Below a host's base URL, without a query. */
  readonly path: string;
  readonly dialect: Dialect;
  readonly isStream: boolean;
  readonly request: HostRequest & { readonly log: AttemptLog };
}

/** Of Azure's clients, about Azure's own API. */
const AZURE_QUERY = 'api-version';
const AZURE_PATH = '/openai/';

/** The request for a host: the caller's path without what is the gateway's own, its query, its headers, its bytes. */
export function outboundCall(endpoint: Endpoint, { outline, form, request }: IncomingCall): OutboundCall {
  const params = request.params as Readonly<Record<string, string>>;
  const deployment = params['model'];
  const path = pathWith(hostPathOf(endpoint.path), params);
  const dialect = dialectOf(path);
  const isStream = outline?.stream ?? false;
  const asksUsage = isStream && (dialect.name === 'chat' || dialect.name === 'completions');
  const isNamed = deployment !== undefined && outline !== undefined;
  return {
    path,
    dialect,
    isStream: isStream && dialect.name !== 'plain',
    request: {
      method: endpoint.method,
      path: path + queryOf(request.url, endpoint.path.startsWith(AZURE_PATH)),
      headers: headersOfDecoded(request),
      body: isNamed ? withModel(outline, deployment) : outline?.bytes,
      upload: form?.upload,
      model: deployment ?? form?.model ?? outline?.model,
      stream: isStream,
      facts: outline?.facts,
      log: new AttemptLog(),
      choices: outline?.choices,
      asksUsage: asksUsage && outline?.lacksUsage,
    },
  };
}

function pathWith(pattern: string, params: Readonly<Record<string, string>>): string {
  if (!pattern.includes(':')) return pattern;
  return pattern.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function queryOf(url: string, isAzure: boolean): string {
  const at = url.indexOf('?');
  if (at < 0) return '';
  if (!isAzure) return url.slice(at);
  const query = new URLSearchParams(url.slice(at));
  query.delete(AZURE_QUERY);
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** The body with the model that its path names. */
function withModel(outline: RequestOutline, model: string): Buffer {
  const { bytes } = outline;
  const span = outline.spanOf('model');
  const name = JSON.stringify(model);
  if (span) {
    const quotes = span.kind === 'string' ? 1 : 0;
    return Buffer.concat([
      bytes.subarray(0, span.start - quotes),
      Buffer.from(name),
      bytes.subarray(span.end + quotes),
    ]);
  }
  const start = bytes.indexOf('{') + 1;
  const isEmpty = /^\s*\}/.test(bytes.toString('latin1', start, start + 64));
  return Buffer.concat([
    bytes.subarray(0, start),
    Buffer.from(`"model":${name}${isEmpty ? '' : ','}`),
    bytes.subarray(start),
  ]);
}

/** A compressed body goes on as it was decoded. */
function headersOfDecoded({ headers }: HttpRequest): HttpRequest['headers'] {
  if (headers['content-encoding'] === undefined) return headers;
  return { ...headers, 'content-encoding': undefined, 'content-length': undefined };
}
