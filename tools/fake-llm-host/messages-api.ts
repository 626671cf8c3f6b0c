import { type ResponseContent, newHead } from './response-content.ts';
import type { CompletionRequest } from './completion-request.ts';
import type { Reply } from './error-reply.ts';
import { generate, tokenize } from './generation.ts';
import { sampleOf } from './schema-sample.ts';

interface Tool {
  readonly name: string;
  readonly input_schema?: unknown;
}

const FAILURE = JSON.stringify({
  type: 'error',
  error: { type: 'api_error', message: 'The simulated host fails, as it was told to.' },
});

/** Anthropic's type for the statuses with which this host refuses. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

/** Answers `POST /v1/messages` with `fixedText` or an echo; a forced tool gets called. */
export function messagesResponse(request: CompletionRequest, fixedText?: string): ResponseContent {
  const tool = forcedTool(request.fields);
  const input = tool && sampleOf(tool.input_schema);
  const text = tool ? JSON.stringify(input) : (fixedText ?? `[simulated] You said: "${inputText(request)}".`);
  const generation = generate(text, { ...request, stop: stopSequences(request) });
  const isLimited = generation.finishReason === 'length';
  const stop = {
    stop_reason: isLimited ? 'max_tokens' : tool ? 'tool_use' : 'end_turn',
    stop_sequence: null,
  };
  const counts = {
    input_tokens: tokenize(inputText(request)).length,
    output_tokens: generation.tokens.length,
  };
  const { id, model } = newHead('msg', 'message', request.model);
  const head = { id, type: 'message', role: 'assistant', model };
  const block = tool
    ? { type: 'tool_use', id: 'toolu_simulated', name: tool.name, input }
    : { type: 'text', text: generation.text };
  return {
    tokenCount: generation.tokens.length,
    body: () => JSON.stringify({ ...head, content: [block], ...stop, usage: counts }),
    events: () => [
      event('message_start', {
        message: {
          ...head,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { ...counts, output_tokens: 1 },
        },
      }),
      event('content_block_start', {
        index: 0,
        content_block: tool ? { ...block, input: {} } : { ...block, text: '' },
      }),
      event('ping', {}),
      ...generation.tokens.map((token) =>
        event('content_block_delta', { index: 0, delta: deltaOf(token, tool) }),
      ),
      event('content_block_stop', { index: 0 }),
      event('message_delta', { delta: stop, usage: { output_tokens: counts.output_tokens } }),
    ],
    end: event('message_stop', {}),
    failure: FAILURE,
  };
}

/** Answers `POST /v1/messages/count_tokens`. */
export function messageCount(request: CompletionRequest): Reply {
  return { status: 200, body: JSON.stringify({ input_tokens: tokenize(inputText(request)).length }) };
}

/** A refusal as Anthropic's API words it. */
export function messagesRefusal({ status, body }: Reply): Reply {
  const { error } = JSON.parse(body) as { error: { message: string } };
  const type = ERROR_TYPES[status] ?? 'api_error';
  return { status, body: JSON.stringify({ type: 'error', error: { type, message: error.message } }) };
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function deltaOf(token: string, tool: Tool | undefined): object {
  return tool ? { type: 'input_json_delta', partial_json: token } : { type: 'text_delta', text: token };
}

function forcedTool({ tools, tool_choice: choice }: CompletionRequest['fields']): Tool | undefined {
  if (!Array.isArray(tools) || typeof choice !== 'object' || choice === null) return undefined;
  const { type, name } = choice as { type?: string; name?: string };
  const known = tools as readonly Tool[];
  return type === 'any' ? known[0] : known.find((tool) => type === 'tool' && tool.name === name);
}

function stopSequences({ fields }: CompletionRequest): readonly string[] {
  return Array.isArray(fields['stop_sequences']) ? (fields['stop_sequences'] as string[]) : [];
}

/** Every text in the messages, in order. */
function inputText({ fields }: CompletionRequest): string {
  const messages = Array.isArray(fields['messages']) ? (fields['messages'] as { content?: unknown }[]) : [];
  return messages
    .flatMap(({ content }) =>
      Array.isArray(content) ? (content as { text?: string }[]) : [{ text: String(content) }],
    )
    .flatMap(({ text }) => text ?? [])
    .join(' ');
}
