export { axiosAdapter, type AxiosAdapterLimits } from './axios-adapter.ts';
export { AxiosTransportModule } from './axios-transport.module.ts';
