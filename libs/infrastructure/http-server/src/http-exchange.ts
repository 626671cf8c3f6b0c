import type { IncomingHttpHeaders } from 'node:http';
import type { OutgoingResponse } from '@morgan/foundation';
import type { AdmittedBody } from './admission/admitted-body.ts';
import type { StalledReaders } from './body/stalled-readers.ts';
import type { RequestContext } from './request-context.ts';

/** What is used of Node's `IncomingMessage` besides its body. */
export interface IncomingRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  readonly httpVersion: string;
  /** Whether all of the body has come. */
  readonly complete: boolean;
  readonly destroyed: boolean;
}

/** What the gate and the handlers see of a request, whether Fastify brings it or {@link PlainRoutes}. */
export interface HttpRequest {
  readonly id: string;
  readonly raw: IncomingRequest;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** What varies in the path of the route, decoded. */
  readonly params: unknown;
  readonly is404: boolean;
  /** `url` is the pattern of the route that matched. */
  readonly routeOptions: { readonly url?: string | undefined };
  readonly server: { readonly stalledReaders: StalledReaders };
  /** None before it was read, and where there is none. */
  body?: unknown;
  requestContext: RequestContext;
  admittedBody: AdmittedBody | undefined;
}

/** The response to a request, as the gate and the handlers make it. */
export interface HttpReply {
  readonly raw: OutgoingResponse;
  readonly request: HttpRequest;
  header(name: string, value: string | number): HttpReply;
  headers(headers: Readonly<Record<string, string | number>>): HttpReply;
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>;
  status(code: number): HttpReply;
  type(contentType: string): HttpReply;
  /** From now on somebody else writes to `raw`, and only there. */
  hijack(): HttpReply;
  /** Once: text, bytes, a stream of them, or a value that becomes JSON. */
  send(body?: unknown): HttpReply;
}

/** What the edge knows of a request or reply. */
export function contextOf(subject: HttpRequest | HttpReply): RequestContext {
  return 'request' in subject ? subject.request.requestContext : subject.requestContext;
}
