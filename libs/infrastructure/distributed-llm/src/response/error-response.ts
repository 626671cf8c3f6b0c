import { errorOf, readErrorBody, type ReportedError, restTimeMs, withTexts } from '@morgan/host-errors';
import type { TransportResponse } from '@morgan/http-transport';
import type { Dialect } from '@morgan/llm-protocol';
import { BodyStart } from './body-start.ts';

/** Above it there is no status that clients, and proxies on the way to them, have to know (RFC 9110, 15). */
const HIGHEST_STATUS = 599;
/** Far above any error that is meant to be read. */
const LIMIT_BYTES = 64 * 1024;
/** An error is short, and its host has it ready. */
const LIMIT_MS = 2_000;
/** The most of a plain text that is quoted. */
const LONGEST_TEXT = 2_000;
/** What is said in more bytes is kept in short only. */
const MOST_KEPT = 8_192;
/** What is longer is no id: it stands in log lines and in a header. */
const LONGEST_ID = 256;
const JSON_TYPE = ['content-type', 'application/json; charset=utf-8'];

/** The host that said it. */
interface Speaker {
  readonly name: string;
  readonly address: { readonly withoutSecrets: (text: string) => string };
}

interface ErrorResponseParts {
  readonly status: number;
  readonly error: ReportedError | undefined;
  readonly isJson: boolean;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly requestId: string | undefined;
}

/** What a host said went wrong, as callers can be told: in OpenAI's envelope, with the host's own status. */
export class ErrorResponse {
  readonly status: number;
  readonly error: ReportedError | undefined;
  readonly isJson: boolean;
  readonly body: Buffer;
  /** The host's own id of the request. */
  readonly requestId: string | undefined;
  readonly #headers: readonly string[];

  private constructor({ status, error, isJson, headers, body, requestId }: ErrorResponseParts) {
    this.status = status;
    this.error = error;
    this.isJson = isJson;
    this.body = body;
    this.requestId = requestId;
    this.#headers = headers;
  }

  /** Reads a response with an error status. Should the host quote the key that it was sent, no caller reads it. */
  static async read(response: TransportResponse, host: Speaker, dialect: Dialect): Promise<ErrorResponse> {
    const status = Math.min(response.status, HIGHEST_STATUS);
    const bytes = await readBounded(response);
    const received = bytes.toString();
    const text = host.address.withoutSecrets(received);
    const { error, isJson, json } = readErrorBody(text, status);
    const headers = response.rawHeaders.map(host.address.withoutSecrets);
    const requestId = requestIdOf(response);
    // What has the right shape passes as it came.
    if (json && dialect.isErrorBody(json) && text === received)
      return new ErrorResponse({ status, error, isJson, headers, body: bytes, requestId });
    const said = error ?? errorOf(`The host ${host.name} answered with status ${response.status}.`);
    const body = envelope(dialect, said, status);
    const parts = { isJson, headers: withoutBodyHeaders(headers), body, requestId };
    return new ErrorResponse({ status, error, ...parts });
  }

  /** An error object that stood in a response with a good status. No caller reads the key there either. */
  static within(
    response: TransportResponse,
    status: number,
    said: { readonly error: ReportedError; readonly host: Speaker; readonly dialect: Dialect },
  ): ErrorResponse {
    const { host, dialect } = said;
    const { withoutSecrets } = host.address;
    const error = withTexts(said.error, withoutSecrets);
    return new ErrorResponse({
      status,
      error,
      isJson: true,
      headers: withoutBodyHeaders(response.rawHeaders.map(withoutSecrets)),
      body: envelope(dialect, error, status),
      requestId: requestIdOf(response),
    });
  }

  /** Whether its host asks that nobody asks it again, as OpenAI's clients understand that. */
  get isFinal(): boolean {
    const isName = (text: string, at: number) => at % 2 === 0 && /^x-should-retry$/i.test(text);
    return this.#headers.some((text, at) => isName(text, at) && this.#headers[at + 1] === 'false');
  }

  /** What two responses to the same request share if the request is to blame: all but numbers and ids. */
  get signature(): string {
    const { code, type, message = '' } = this.error ?? {};
    const words = message.slice(0, 200).replace(/[0-9a-f]{8,}|\d+/gi, '#');
    return [this.status, code, type, words].join(' ');
  }

  /** This response with the path that is missing in its message, if the host has not named it: "Not Found" alone does not say what. */
  naming(method: string, path: string, dialect: Dialect): ErrorResponse {
    const { status, requestId, isJson, error: said = errorOf('') } = this;
    const { message = '' } = said;
    if (message.includes(path)) return this;
    const words = `The host has no ${method} ${path}${message === '' ? '.' : `: ${message}`}`;
    const error = { ...said, message: words };
    const headers = withoutBodyHeaders(this.#headers);
    return new ErrorResponse({
      status,
      error,
      isJson,
      headers,
      body: envelope(dialect, error, status),
      requestId,
    });
  }

  /** A short form of this response for whoever keeps it: a host may quote the request, and a thousand of them may be kept. */
  brief(dialect: Dialect): ErrorResponse {
    const { status, requestId, isJson } = this;
    const headersLength = this.#headers.reduce((sum, text) => sum + text.length, 0);
    if (this.body.length + headersLength <= MOST_KEPT) return this;
    const error = this.error && withTexts(bareError(this.error), (text) => text.slice(0, LONGEST_TEXT));
    const body = error ? envelope(dialect, error, status) : this.body;
    const headers = headersLength <= MOST_KEPT ? withoutBodyHeaders(this.#headers) : JSON_TYPE;
    return new ErrorResponse({ status, error, isJson, headers, body, requestId });
  }

  /** @param retryAfterMs when the first of the targets is asked again, if that is known. */
  headersWith(retryAfterMs: number | undefined): string[] {
    const headers: string[] = [];
    for (let at = 0; at + 1 < this.#headers.length; at += 2) {
      const [name, value] = this.#headers.slice(at, at + 2) as [string, string];
      const isTime = /^retry-after(-ms)?$/i.test(name);
      // Clients fail on what is no time, such as -5.
      const stays = retryAfterMs === undefined && restTimeMs({ [name.toLowerCase()]: value }) !== undefined;
      if (!isTime || stays) headers.push(name, value);
    }
    return retryAfterMs === undefined
      ? headers
      : [...headers, 'retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000)))];
  }
}

/** Without what only the call itself needs to know. */
function bareError({ status, type, code, message, param }: ReportedError): ReportedError {
  return { status, type, code, message, param };
}

function envelope(dialect: Dialect, error: ReportedError, status: number): Buffer {
  const { type = typeOf(status), code = 'host_error' } = error;
  return Buffer.from(JSON.stringify(dialect.errorBody({ ...error, status, type, code })));
}

/** The host's own id of a request, under either of its usual names. */
export function requestIdOf({ headers }: TransportResponse): string | undefined {
  const id = headers['x-request-id'] ?? headers['request-id'];
  return typeof id === 'string' && id.length <= LONGEST_ID ? id : undefined;
}

/**
 * What is there of a refusal in time: one that is endless or falls silent is worth no wait. Of a long one the beginning is
 * enough: validators quote the request behind what they say of it.
 */
async function readBounded(response: TransportResponse): Promise<Buffer> {
  const timer = setTimeout(() => response.discard(), LIMIT_MS);
  try {
    return (await response.bytesUpTo(LIMIT_BYTES)) ?? (await beginningOf(response));
  } catch {
    return Buffer.alloc(0);
  } finally {
    clearTimeout(timer);
  }
}

async function beginningOf(response: TransportResponse): Promise<Buffer> {
  const start = new BodyStart(response.body);
  await start.read((_, held) => held >= LIMIT_BYTES);
  response.discard();
  return start.bytes().subarray(0, LIMIT_BYTES);
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  if (status === 403) return 'permission_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

function withoutBodyHeaders(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (!/^content-/i.test(headers[at] as string))
      kept.push(headers[at] as string, headers[at + 1] as string);
  }
  return [...kept, ...JSON_TYPE];
}
