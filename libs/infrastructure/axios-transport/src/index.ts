export { axiosAdapter } from './axios-adapter.ts';
export { AxiosTransportModule, type AxiosTransportModuleOptions } from './axios-transport.module.ts';
