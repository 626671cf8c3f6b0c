/** What may be said of a fault: only the first word of what Redis answered, such as `WRONGPASS`; the rest may repeat a command. */
export function nameFault(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'ReplyError') return error.message.split(' ', 1)[0] ?? error.name;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
