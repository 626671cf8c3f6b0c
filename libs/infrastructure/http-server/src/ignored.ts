import { contextOf, type HttpReply } from './http-exchange.ts';

/** What of a request nobody reads, fields of its body and headers of ours: a caller who has sent one believes that it was obeyed. */
export const IGNORED_HEADER = 'x-morgan-ignored';

/** What names look like; what does not may be anything, and belongs into no header and no log. */
const NAME = /^[\w.-]{1,64}$/;
const NAMES_TOLD = 8;

/** Of many names the first eight that look like names: those are told. */
export function tellable(names: readonly string[]): string[] {
  return names.filter((name) => NAME.test(name)).slice(0, NAMES_TOLD);
}

/** Names what is ignored in a header of the response and in the log line, behind what they name already. */
export function tellIgnored(reply: HttpReply, names: readonly string[]): void {
  const told = tellable(names);
  const left = names.length - told.length;
  const before = reply.getHeaders()[IGNORED_HEADER];
  const all = [
    ...(before === undefined ? [] : [String(before)]),
    ...told,
    ...(left > 0 ? [`and ${left} more`] : []),
  ];
  const text = all.join(', ');
  reply.header(IGNORED_HEADER, text);
  contextOf(reply).note('ignored', text);
}
