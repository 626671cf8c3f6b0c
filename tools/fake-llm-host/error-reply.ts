/** A complete response that is not streamed. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that the host refuses, in OpenAI's error envelope. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly reply: Reply;

  constructor(status: number, message: string, details: { param?: string; code?: string }) {
    super(message);
    this.reply = errorReply(status, message, details);
  }
}

/** A response in OpenAI's error envelope. */
export function errorReply(
  status: number,
  message: string,
  { param, code }: { param?: string; code?: string } = {},
): Reply {
  const type = status >= 500 ? 'server_error' : status === 429 ? 'rate_limit_error' : 'invalid_request_error';
  const error = { message, type, param: param ?? null, code: code ?? null };
  return { status, body: JSON.stringify({ error }) };
}
