export type { OriginStatus } from './connection-pool.ts';
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
export { HttpTransportMetrics } from './http-transport-metrics.ts';
export { httpTransportConfig, type HttpTransportConfig, type TransportTls } from './http-transport.config.ts';
export type { RequestSender, TransportRequest } from './request-sender.ts';
export type { ResponseBody } from './response-body.ts';
export { TransportError, type TransportFault } from './transport-error.ts';
export type { TransportResponse } from './transport-response.ts';
export type { RequestBody } from './upload.ts';
