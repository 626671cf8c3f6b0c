/** Structured fields of a log line. Never prompt text, input text or keys. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The logging interface that every lib takes; `@morgan/telemetry` implements it. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Drops every line: the default where no logger is given. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
