let second = NaN;
let upToSecond = '';

/** The `time` of a log line, as pino's own `isoTime` writes it; lines of the same second share most of the work. */
export function timeField(): string {
  const now = Date.now();
  const ms = now % 1000;
  if (now - ms !== second) {
    second = now - ms;
    upToSecond = `,"time":"${new Date(second).toISOString().slice(0, -4)}`;
  }
  return `${upToSecond}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`;
}
