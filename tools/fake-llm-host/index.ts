export { FakeLlmHost, startFakeLlmHost, type FakeLlmHostOptions } from './fake-llm-host.ts';
export type { Fault, StreamFault } from './fault.ts';
