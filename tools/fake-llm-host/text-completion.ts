import { type ResponseContent, interleave, newHead, toEvents, usageOf } from './response-content.ts';
import { type CompletionRequest, invalid } from './completion-request.ts';
import { generate, type Generation, logprobOf, tokenize } from './generation.ts';

interface Choice {
  readonly index: number;
  readonly generation: Generation;
  readonly hasLogprobs: boolean;
}

/** Answers `POST /v1/completions`: `n` choices for each prompt, which may be a text, token ids, or a list of either. */
export function textCompletion(request: CompletionRequest, fixedText?: string): ResponseContent {
  const prompts = readPrompts(request.fields['prompt']);
  const choices = prompts.flatMap((prompt, position) =>
    Array.from({ length: request.n }, (_, number) => {
      const index = position * request.n + number;
      const text =
        fixedText ?? `[simulated] No language model continued this: "${prompt.shown.slice(0, 200)}".`;
      return {
        index,
        generation: generate(number === 0 ? text : `${text} Choice ${number + 1}.`, request),
        hasLogprobs: typeof request.fields['logprobs'] === 'number',
      };
    }),
  );
  const counts = choices.map(({ generation }) => generation.tokens.length);
  const usage = usageOf(
    prompts.reduce((sum, { tokenCount }) => sum + tokenCount, 0),
    counts.reduce((sum, count) => sum + count, 0),
  );
  const head = () => newHead('cmpl', 'text_completion', request.model);
  return {
    tokenCount: Math.max(...counts),
    body: () => JSON.stringify({ ...head(), choices: choices.map(wholeChoice), usage }),
    events: () =>
      toEvents(head(), interleave(choices.map(chunksOf)), request.includeUsage ? usage : undefined),
  };
}

function wholeChoice({ index, generation, hasLogprobs }: Choice): object {
  const { text, tokens, finishReason } = generation;
  return { index, text, logprobs: hasLogprobs ? logprobsOf(tokens, 0) : null, finish_reason: finishReason };
}

function chunksOf({ index, generation, hasLogprobs }: Choice): object[] {
  let offset = 0;
  const chunks: object[] = generation.tokens.map((token) => {
    const logprobs = hasLogprobs ? logprobsOf([token], offset) : null;
    offset += token.length;
    return { index, text: token, logprobs, finish_reason: null };
  });
  return [...chunks, { index, text: '', logprobs: null, finish_reason: generation.finishReason }];
}

function logprobsOf(tokens: readonly string[], start: number): object {
  let offset = start;
  const offsets = tokens.map((token) => {
    offset += token.length;
    return offset - token.length;
  });
  const logprobs = tokens.map(logprobOf);
  return {
    tokens,
    token_logprobs: logprobs,
    top_logprobs: tokens.map((token, index) => ({ [token]: logprobs[index] })),
    text_offset: offsets,
  };
}

interface Prompt {
  readonly shown: string;
  readonly tokenCount: number;
}

function readPrompts(value: unknown): readonly Prompt[] {
  if (typeof value === 'string') return [textPrompt(value)];
  if (Array.isArray(value) && value.length > 0) {
    const list = value as readonly unknown[];
    if (list.every(isText)) return list.map(textPrompt);
    if (isTokens(list)) return [tokenPrompt(list)];
    if (list.every(isTokens)) return list.map(tokenPrompt);
  }
  throw invalid('prompt', 'must be a text, a list of token ids, or a list of either');
}

function textPrompt(text: string): Prompt {
  return { shown: text, tokenCount: tokenize(text).length };
}

function tokenPrompt(ids: readonly number[]): Prompt {
  return { shown: `${ids.length} token ids`, tokenCount: ids.length };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((id) => Number.isInteger(id));
}
