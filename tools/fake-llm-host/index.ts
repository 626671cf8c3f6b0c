export { FakeLlmHost, startFakeLlmHost, type FakeLlmHostOptions } from './fake-llm-host.ts';
export { parseFault, seededStreamFault, type Fault, type StreamFault } from './fault.ts';
export { RecordedRequest } from './recorded-request.ts';
