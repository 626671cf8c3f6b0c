export { HttpTransport } from './http-transport.ts';
export type { HttpTransportOptions, OriginStatus, TransportRequest, TransportTls } from './http-transport.ts';
export type { ResponseBody } from './response-body.ts';
export { TransportError, type TransportFault } from './transport-error.ts';
export type { TransportResponse } from './transport-response.ts';
export type { RequestBody } from './upload.ts';
