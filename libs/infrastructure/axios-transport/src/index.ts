export { axiosAdapter } from './axios-adapter.ts';
export { AxiosTransportModule } from './axios-transport.module.ts';
