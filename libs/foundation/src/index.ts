export { breakTransfer } from './broken-transfer.ts';
export { type CallContext, contextWith, newCall } from './call-context.ts';
export { backoffMs, spreadWaitMs } from './backoff.ts';
export { callStopped, deadlineExceeded } from './call-stopped.ts';
export { Deadline } from './deadline.ts';
export { atEndOfTurn } from './end-of-turn.ts';
export { inTurn } from './in-turn.ts';
export { isObject, jsonOrNone, type JsonObject, textOrNone, written } from './json-value.ts';
export { JoinedText } from './joined-text.ts';
export { type Listener, Listeners } from './listeners.ts';
export { QuantileWindow } from './quantile-window.ts';
export { type LeaveReason, Waiter } from './waiter.ts';
export { compose, type Policy, type Work } from './policy.ts';
export { executeAdmitted } from './execute-admitted.ts';
export { apiKeySetting, NAMES_VARIABLE_FAULT, namesVariable } from './config/api-key-setting.ts';
export { ConfigError } from './config/config-error.ts';
export { configurationTable } from './config/configuration-table.ts';
export { apiUrl, httpUrl, proxyUrl } from './config/http-url.ts';
export { loadConfig } from './config/load-config.ts';
export { CONFIG_FILE_VARIABLE, loadServiceConfig } from './config/load-service-config.ts';
export { milliseconds } from './config/milliseconds.ts';
export { nearMiss } from './config/near-miss.ts';
export { parseSettings } from './config/parse-settings.ts';
export { listSettings, setting } from './config/setting.ts';
export { refuseUnknownOptions, requireName } from './config/unknown-options.ts';
export { whereGood } from './config/where-good.ts';
export { AppError } from './errors/app-error.ts';
export type { ErrorCode } from './errors/error-codes.ts';
export type { ErrorKind } from './errors/error-kind.ts';
export type { FinishedRequest, HttpObserver, Note } from './http-observer.ts';
export { collectGarbage } from './garbage.ts';
export { residentBytes } from './resident-bytes.ts';
export { MAX_TIMER_MS } from './timer.ts';
export { silentLogger, type LogFields, type Logger } from './logger.ts';
export type { HealthIndicator, HealthReading } from './health-indicator.ts';
export { type Assessment, assessCall, type CallAssessor, type CallEnding } from './faults/assess-call.ts';
export { classifyFault } from './faults/classify-fault.ts';
export {
  FAULT_CATEGORIES,
  type Fault,
  type FaultCategory,
  type FaultClassifier,
  type Verdict,
} from './faults/fault.ts';
export { faultOfStatus, type FaultWord } from './faults/fault-table.ts';
export { retryAfterMs, timeThere } from './faults/retry-after.ts';
export { LatestMap } from './latest-map.ts';
export { LinkedList, type ListPlace } from './linked-list.ts';
export type { OutgoingResponse } from './outgoing-response.ts';
export { Pieces } from './pieces.ts';
export { ZSTD_WINDOW_BYTES, zstdDecoder, type ZstdDecoderOptions } from './zstd/zstd-decoder.ts';
