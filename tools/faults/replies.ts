import type { ServerResponse } from 'node:http';

/** What a host sees of a request. */
export interface HostRequest {
  /** The model that is asked for. */
  readonly model: string;
  readonly isStream: boolean;
  /** The text of the last message. */
  readonly says: string;
}

/** How a host answers one request. */
export type Reply = (response: ServerResponse, request: HostRequest) => void;

export type Headers = Readonly<Record<string, string>>;

export const json =
  (status: number, value: unknown, headers: Headers = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

export const text =
  (status: number, type: string, body = ''): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': type }).end(body);

/** An error in OpenAI's envelope. `MODEL` in its message stands for the model that is asked for. */
export const refusal =
  (
    status: number,
    message: string,
    { headers = {}, ...error }: { headers?: Headers; [field: string]: unknown } = {},
  ): Reply =>
  (response, request) =>
    json(
      status,
      {
        error: {
          message: message.replace('MODEL', request.model),
          type: null,
          param: null,
          code: null,
          ...error,
        },
      },
      headers,
    )(response, request);

const chunk = (model: string, delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

export const roleChunk = (model: string): string => chunk(model, { role: 'assistant', content: '' });
const contentChunk = (model: string, content: string): string => chunk(model, { content });
const endChunks = (model: string): string => `${chunk(model, {}, 'stop')}data: [DONE]\n\n`;

export const startEvents = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
};

/** A good response, streamed where it was asked for. */
export const good: Reply = (response, request) => {
  const { model, isStream } = request;
  if (!isStream) {
    const choice = { index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' };
    const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
    return json(200, { id: 'c1', object: 'chat.completion', model, choices: [choice], usage })(
      response,
      request,
    );
  }
  startEvents(response);
  response.end(roleChunk(model) + contentChunk(model, 'hello') + endChunks(model));
};

/** These bytes instead of HTTP, then the end of the connection. */
export const rawBytes =
  (bytes: string): Reply =>
  (response) =>
    void response.socket?.end(bytes);

export const reset: Reply = (response) => void response.socket?.resetAndDestroy();

/** Never answers. */
export const silence: Reply = () => undefined;

export const headersThenSilence: Reply = (response) => startEvents(response);

export const cutBehindHeaders: Reply = (response, { isStream }) => {
  response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
  response.flushHeaders();
  setImmediate(() => response.destroy());
};

/** A chunk of which the connection ends before its content is complete. */
export const halfChunk: Reply = (response, { model, isStream }) => {
  const body = isStream ? contentChunk(model, 'hello') : '{"id":"c1","choices":[';
  const type = isStream ? 'text/event-stream' : 'application/json';
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;
  rawBytes(`${head}${(body.length + 200).toString(16)}\r\n${body.slice(0, 20)}`)(response, {
    model,
    isStream,
    says: '',
  });
};

/** A response whose first content takes so long. */
export const slowFirstToken =
  (delayMs: number): Reply =>
  (response, request) => {
    if (request.isStream) startEvents(response);
    setTimeout(() => {
      if (response.destroyed) return;
      if (!request.isStream) return good(response, request);
      response.end(
        roleChunk(request.model) + contentChunk(request.model, 'hello') + endChunks(request.model),
      );
    }, delayMs);
  };

/** A stream that is cut after its first content. */
export const cutInContent: Reply = (response, { model }) => {
  startEvents(response);
  response.write(roleChunk(model) + contentChunk(model, 'hel'));
  setTimeout(() => response.destroy(), 20);
};

export const models =
  (...ids: string[]): Reply =>
  (response, request) =>
    json(200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) })(response, request);
