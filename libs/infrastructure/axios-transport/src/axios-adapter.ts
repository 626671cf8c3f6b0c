import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import {
  type RequestBody,
  type RequestSender,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '@morgan/http-transport';
import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { axiosFaultOf } from './axios-fault.ts';
import { CallCancellation } from './call-cancellation.ts';

/**
 * Lets axios send through a transport, bare or with policies around it: its pool, its limits, its TLS; axios' `timeout`
 * counts from the call to the whole response, for a stream to its headers. Follows no redirect and asks for no compression.
 * `httpAgent`, `httpsAgent`, `proxy` and `socketPath` are refused: connections are the sender's.
 */
export function axiosAdapter(sender: RequestSender): AxiosAdapter {
  return async (config) => {
    const request = requestOf(config);
    const cancellation = new CallCancellation(config);
    const bodyFault = (fault: unknown) => axiosFaultOf(fault, config, cancellation);
    let axiosResponse: AxiosResponse;
    try {
      const response = await sender.request({ ...request, signal: cancellation.signal, bodyFault });
      axiosResponse = await axiosResponseOf(response, config, cancellation);
    } catch (error) {
      cancellation.release();
      throw error instanceof AxiosError ? error : axiosFaultOf(error, config, cancellation);
    }
    return settle(axiosResponse);
  };
}

function requestOf(config: InternalAxiosRequestConfig) {
  const foreign = (['httpAgent', 'httpsAgent', 'proxy', 'socketPath'] as const).find((name) => config[name]);
  if (foreign) throw refusal(`${foreign} cannot be used: connections are the sender's.`, config);
  const uri = axios.getUri(config);
  const url = URL.parse(uri);
  if (!url) throw new AxiosError('The URL is not valid.', AxiosError.ERR_INVALID_URL, config);
  if (!/^https?:$/.test(url.protocol)) throw refusal(`${url.protocol} is not supported.`, config);
  const { body, contentType } = bodyOf(config);
  const headers = AxiosHeaders.from(config.headers);
  // The type of a form names its boundary, which is new each time.
  if (contentType) headers.set('content-type', contentType);
  if (config.auth) headers.set('authorization', `Basic ${basicAuth(config.auth)}`);
  return {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: (config.method ?? 'get').toUpperCase() as TransportRequest['method'],
    headers: Object.entries(headers.toJSON()).flatMap(([name, value]) =>
      [value].flat().flatMap((one) => (one === null || one === undefined ? [] : [name, String(one)])),
    ),
    body,
  };
}

const basicAuth = ({ username, password }: { username: string; password: string }) =>
  Buffer.from(`${username}:${password}`).toString('base64');

interface BodyAndType {
  readonly body: RequestBody | undefined;
  readonly contentType?: string | null;
}

function bodyOf(config: InternalAxiosRequestConfig): BodyAndType {
  const data: unknown = config.data;
  if (data === undefined || data === null) return { body: undefined };
  if (data instanceof Readable) return { body: data };
  if (data instanceof FormData || data instanceof Blob) {
    const encoded = new Response(data);
    return { body: encoded.body ?? undefined, contentType: encoded.headers.get('content-type') };
  }
  const body = bytesOf(data);
  if (!body) throw refusal('The data is of no kind that can be sent.', config);
  const limit = config.maxBodyLength ?? -1;
  if (limit >= 0 && body.length > limit)
    throw refusal('Request body larger than maxBodyLength limit', config);
  return { body };
}

function bytesOf(data: unknown): Buffer | undefined {
  if (typeof data === 'string') return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return data instanceof ArrayBuffer ? Buffer.from(data) : undefined;
}

async function axiosResponseOf(
  response: TransportResponse,
  config: InternalAxiosRequestConfig,
  cancellation: CallCancellation,
): Promise<AxiosResponse> {
  const { status, headers, body } = response;
  const axiosResponse = {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: AxiosHeaders.from(headers as Record<string, string>),
    config,
  };
  if (config.responseType === 'stream') {
    cancellation.stopClock();
    body.once('close', () => cancellation.release());
    return { ...axiosResponse, data: body };
  }
  const bytes = await read(response, config);
  cancellation.release();
  if (config.responseType === 'arraybuffer') return { ...axiosResponse, data: bytes };
  const text = bytes.toString((config.responseEncoding ?? 'utf8') as BufferEncoding);
  return { ...axiosResponse, data: text.replace(/^\uFEFF/, '') };
}

async function read(response: TransportResponse, config: InternalAxiosRequestConfig): Promise<Buffer> {
  const limit = config.maxContentLength ?? -1;
  try {
    return await response.bytes(limit < 0 ? Infinity : limit);
  } catch (error) {
    if (!(error instanceof TransportError) || error.reason !== 'too_large') throw error;
    const message = `maxContentLength size of ${limit} exceeded`;
    throw Object.assign(new AxiosError(message, AxiosError.ERR_BAD_RESPONSE, config), { cause: error });
  }
}

function settle(axiosResponse: AxiosResponse): AxiosResponse {
  const { status, config } = axiosResponse;
  if (!config.validateStatus || config.validateStatus(status)) return axiosResponse;
  const isCallers = status >= 400 && status < 500;
  throw new AxiosError(
    `Request failed with status code ${status}`,
    isCallers ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
    config,
    undefined,
    axiosResponse,
  );
}

const refusal = (message: string, config: InternalAxiosRequestConfig) =>
  new AxiosError(message, AxiosError.ERR_BAD_REQUEST, config);
