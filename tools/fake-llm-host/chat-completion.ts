import { type ResponseContent, interleave, newHead, toEvents, usageOf } from './response-content.ts';
import { type CompletionRequest, invalid } from './completion-request.ts';
import { generate, type Generation, logprobOf, tokenize } from './generation.ts';
import { sampleOf } from './schema-sample.ts';

interface Message {
  readonly role: string;
  readonly content?: string | readonly { readonly type: string; readonly text?: string }[] | null;
}

interface Tool {
  readonly function: { readonly name: string; readonly parameters?: unknown };
}

interface Choice {
  readonly index: number;
  readonly generation: Generation;
  /** Set when the response is a call of this tool: the generation is then its arguments. */
  readonly tool: Tool | undefined;
  readonly topLogprobs: number | undefined;
}

/**
 * Answers `POST /v1/chat/completions` with `fixedText`, or else with words that say they are simulated and repeat the
 * last message. A forced tool gets called, and `response_format` is kept, both with the smallest value that fits.
 */
export function chatCompletion(request: CompletionRequest, fixedText?: string): ResponseContent {
  const messages = readMessages(request.fields['messages']);
  const tool = forcedTool(request.fields);
  const text = tool
    ? toJson(tool.function.parameters)
    : (structured(request.fields) ?? fixedText ?? echo(messages));
  const choices = Array.from({ length: request.n }, (_, index) => ({
    index,
    generation: generate(index === 0 || tool ? text : `${text} Choice ${index + 1}.`, request),
    tool,
    topLogprobs:
      request.fields['logprobs'] === true ? Number(request.fields['top_logprobs'] ?? 0) : undefined,
  }));
  const counts = choices.map(({ generation }) => generation.tokens.length);
  const usage = usageOf(
    messages.reduce((sum, message) => sum + tokenize(textOf(message)).length, 0),
    counts.reduce((sum, count) => sum + count, 0),
  );
  return {
    tokenCount: Math.max(...counts),
    body: () =>
      JSON.stringify({
        ...newHead('chatcmpl', 'chat.completion', request.model),
        choices: choices.map(wholeChoice),
        usage,
      }),
    events: () =>
      toEvents(
        newHead('chatcmpl', 'chat.completion.chunk', request.model),
        interleave(choices.map(chunksOf)),
        request.includeUsage ? usage : undefined,
      ),
  };
}

function wholeChoice({ index, generation, tool, topLogprobs }: Choice): object {
  const message = tool
    ? { role: 'assistant', content: null, tool_calls: [toolCall(index, tool, generation.text)] }
    : { role: 'assistant', content: generation.text, refusal: null };
  return {
    index,
    message,
    logprobs: logprobsOf(generation.tokens, topLogprobs),
    finish_reason: finishReason(generation, tool),
  };
}

function chunksOf({ index, generation, tool, topLogprobs }: Choice): object[] {
  const chunk = (delta: object, tokens: readonly string[] = [], finish: string | null = null) => ({
    index,
    delta,
    logprobs: tokens.length > 0 ? logprobsOf(tokens, topLogprobs) : null,
    finish_reason: finish,
  });
  const opening = tool
    ? { role: 'assistant', content: null, tool_calls: [{ index: 0, ...toolCall(index, tool, '') }] }
    : { role: 'assistant', content: '' };
  return [
    chunk(opening),
    ...generation.tokens.map((token) =>
      chunk(tool ? { tool_calls: [{ index: 0, function: { arguments: token } }] } : { content: token }, [
        token,
      ]),
    ),
    chunk({}, [], finishReason(generation, tool)),
  ];
}

function toolCall(choice: number, tool: Tool, text: string): object {
  return {
    id: `call_simulated_${choice}`,
    type: 'function',
    function: { name: tool.function.name, arguments: text },
  };
}

function finishReason({ finishReason: reason }: Generation, tool: Tool | undefined): string {
  return tool && reason === 'stop' ? 'tool_calls' : reason;
}

function logprobsOf(tokens: readonly string[], top: number | undefined): object | null {
  if (top === undefined) return null;
  const content = tokens.map((token) => {
    const entry = { token, logprob: logprobOf(token), bytes: [...Buffer.from(token)] };
    return { ...entry, top_logprobs: top > 0 ? [entry] : [] };
  });
  return { content, refusal: null };
}

function readMessages(value: unknown): readonly Message[] {
  if (!Array.isArray(value) || value.length === 0)
    throw invalid('messages', 'must be a list with at least one message');
  const messages = value as readonly (Message | null)[];
  if (!messages.every((message) => typeof message?.role === 'string'))
    throw invalid('messages', 'every message must be an object with a role');
  return messages as readonly Message[];
}

function forcedTool({ tools, tool_choice: choice }: CompletionRequest['fields']): Tool | undefined {
  if (!Array.isArray(tools) || choice === undefined || choice === null) return undefined;
  const known = tools as readonly Tool[];
  if (choice === 'required') return known[0];
  const named = (choice as Partial<Tool>).function?.name;
  return known.find((tool) => tool.function.name === named);
}

function structured({ response_format: format }: CompletionRequest['fields']): string | undefined {
  const { type, json_schema: wanted } = (format ?? {}) as {
    type?: string;
    json_schema?: { schema?: unknown };
  };
  if (type === 'json_object') return '{"simulated": true}';
  return type === 'json_schema' ? toJson(wanted?.schema) : undefined;
}

function toJson(schema: unknown): string {
  return JSON.stringify(sampleOf(schema));
}

function echo(messages: readonly Message[]): string {
  const last = messages.findLast(({ role }) => role === 'user') ?? messages[messages.length - 1];
  const said = last ? textOf(last).slice(0, 200) : '';
  const others = Array.isArray(last?.content)
    ? last.content.filter((part: { type: string }) => part.type !== 'text').length
    : 0;
  const parts = others > 0 ? ` and sent ${others} more part${others === 1 ? '' : 's'}` : '';
  return `[simulated] No language model wrote this answer. You said: "${said}"${parts}.`;
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content;
  return (content ?? []).flatMap((part) => part.text ?? []).join(' ');
}
