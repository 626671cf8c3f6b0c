export { FakeLlmHost, startFakeLlmHost, type FakeLlmHostOptions } from './fake-llm-host.ts';
export { parseFault, type Fault } from './fault.ts';
export { RecordedRequest } from './recorded-request.ts';
