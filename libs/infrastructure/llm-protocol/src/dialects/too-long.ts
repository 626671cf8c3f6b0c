import { contextLimitIn, refusalOfInput, type ReportedError } from '@morgan/host-errors';

/** Anthropic's own words. */
const KNOWN = /prompt is too long|exceed context limit/i;
/** Of OpenAI, vLLM and SGLang, whose numbers say whether the prompt alone would fit. */
const INPUT = /\b(\d{1,9}) (?:input tokens|tokens from the input|in (?:the|your) (?:messages|prompt))/;
const OUTPUT = /too large: (\d{1,9})|\b(\d{1,9}) (?:output tokens|(?:tokens )?(?:in|for) the completion)/;

/**
 * What an error says, in the words by which Anthropic's clients know that a conversation is too long, and shorten it, or
 * that it would fit with a shorter answer, and ask for that.
 */
export function inKnownWords(error: ReportedError): string {
  const { message } = error;
  if (KNOWN.test(message) || refusalOfInput(error) !== 'context_too_long') return message;
  const limit = contextLimitIn(error);
  const input = Number(INPUT.exec(message)?.[1]);
  const [, tooLarge, asked] = OUTPUT.exec(message) ?? [];
  const output = Number(tooLarge ?? asked);
  if (limit === undefined || !(input < limit) || !(output > 0)) return `Prompt is too long: ${message}`;
  return `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}. ${message}`;
}
