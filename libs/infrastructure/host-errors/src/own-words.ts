/** What is wrong stands at the beginning of a message; the rest may be the request, or a page. */
const LONGEST = 4_096;
/**
 * Behind what is wrong with a field Python's validators show what was sent there: of a rule about several, all of the request.
 * llama.cpp shows all messages, or all tools.
 */
const ECHO =
  /(['"]msg['"]: ?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'), ?['"]input['"]: ?|\binput_value=|; (?:messages|tools) = )[^]*/;

/** The beginning of what a host says is wrong, without what it quotes of the request, which may speak of anything. */
export function ownWordsIn(message: string): string {
  return message.slice(0, LONGEST).replace(ECHO, '$1');
}
