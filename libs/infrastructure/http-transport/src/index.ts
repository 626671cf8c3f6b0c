export { HttpTransport } from './http-transport.ts';
export type { HttpTransportOptions, OriginStatus, TransportRequest } from './http-transport.ts';
export type { ResponseBody } from './response-body.ts';
export { TransportError, type TransportFault } from './transport-error.ts';
export type { TransportResponse } from './transport-response.ts';
