/** What the client says of a command without a connection, each time with advice about options that are not settings here. */
const NO_CONNECTION =
  /^(Reached the max retries|Stream isn't writeable|Command aborted|Connection is closed)/;
/** Somebody else answers, such as an HTTP server. */
const OTHER_PROTOCOL = /^Unknown RESP type/;

/** What may be said of a fault: only the first word of what Redis answered, such as `WRONGPASS`; the rest may repeat a command. */
export function nameFault(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { name, message } = error;
  if (name === 'ReplyError') return message.split(' ', 1)[0] ?? name;
  if (NO_CONNECTION.test(message)) return 'no connection';
  if (OTHER_PROTOCOL.test(message)) return 'not the protocol of Redis';
  return 'code' in error && typeof error.code === 'string' ? error.code : message;
}
