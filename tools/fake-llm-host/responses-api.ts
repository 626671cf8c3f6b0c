import { type ResponseContent, newHead } from './response-content.ts';
import { type CompletionRequest, invalid } from './completion-request.ts';
import { RequestRefused, type Reply } from './error-reply.ts';
import { generate, type Generation, tokenize } from './generation.ts';
import { sampleOf } from './schema-sample.ts';

interface Tool {
  readonly type: string;
  readonly name: string;
  readonly parameters?: unknown;
}

/** How many answers are kept to be asked for by their ids. */
const KEPT = 1_000;

/** `/v1/responses`: answers with `fixedText` or an echo, calls a forced tool, and keeps its responses by their ids. */
export class ResponsesApi {
  readonly #kept = new Map<string, string>();

  /** Answers `POST /v1/responses`. @throws RequestRefused when it was to go on with a response that is not kept here. */
  create(request: CompletionRequest, fixedText?: string): ResponseContent {
    const { fields, model } = request;
    const previous = fields['previous_response_id'];
    if (typeof previous === 'string') this.#find(previous);
    const input = inputText(fields['input']);
    const tool = forcedTool(fields);
    const text = tool
      ? JSON.stringify(sampleOf(tool.parameters))
      : (fixedText ?? `[simulated] You said: "${input}".`);
    const generation = generate(text, {
      maxTokens: Number(fields['max_output_tokens'] ?? Infinity),
      stop: [],
    });
    const { id, created } = newHead('resp', 'response', model);
    const usage = usageOf(tokenize(input).length, generation.tokens.length);
    const isWhole = generation.finishReason === 'stop';
    const begun = {
      id,
      object: 'response',
      created_at: created,
      model,
      status: 'in_progress',
      error: null,
      output: [],
    };
    const whole = {
      ...begun,
      status: isWhole ? 'completed' : 'incomplete',
      output: [itemOf(generation, tool)],
      usage,
    };
    this.#keep(id, JSON.stringify(whole));
    const events = eventsOf(generation, tool, begun);
    const type = isWhole ? 'response.completed' : 'response.incomplete';
    return {
      tokenCount: generation.tokens.length,
      body: () => JSON.stringify(whole),
      events: () => events.map((event, index) => toEvent(event, index)),
      end: toEvent({ type, response: whole }, events.length),
    };
  }

  /** Answers `GET` and `DELETE` of `/v1/responses/{id}`. @throws RequestRefused when there is none. */
  stored(method: string, id: string): Reply {
    const body = this.#find(id);
    if (method !== 'DELETE') return { status: 200, body };
    this.#kept.delete(id);
    return { status: 200, body: JSON.stringify({ id, object: 'response', deleted: true }) };
  }

  #find(id: string): string {
    const body = this.#kept.get(id);
    if (body === undefined)
      throw new RequestRefused(404, `Response with id '${id}' not found.`, { code: 'response_not_found' });
    return body;
  }

  #keep(id: string, body: string): void {
    this.#kept.set(id, body);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

type Event = { readonly type: string } & Readonly<Record<string, unknown>>;

function eventsOf(generation: Generation, tool: Tool | undefined, response: object): Event[] {
  const place = { item_id: ITEM_ID, output_index: 0, ...(!tool && { content_index: 0 }) };
  const name = tool ? 'response.function_call_arguments' : 'response.output_text';
  const item = itemOf({ ...generation, text: '' }, tool);
  const part = { type: 'output_text', text: generation.text, annotations: [] };
  const parts: Event[] = tool ? [] : [{ type: 'response.content_part.done', ...place, part }];
  return [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress' } },
    ...(tool ? [] : [{ type: 'response.content_part.added', ...place, part: { ...part, text: '' } }]),
    ...generation.tokens.map((delta) => ({ type: `${name}.delta`, ...place, delta })),
    { type: `${name}.done`, ...place, [tool ? 'arguments' : 'text']: generation.text },
    ...parts,
    { type: 'response.output_item.done', output_index: 0, item: itemOf(generation, tool) },
  ];
}

const ITEM_ID = 'item_simulated';

function itemOf({ text }: Generation, tool: Tool | undefined): object {
  const status = { id: ITEM_ID, status: 'completed' };
  if (tool)
    return { ...status, type: 'function_call', call_id: 'call_simulated', name: tool.name, arguments: text };
  const content = text === '' ? [] : [{ type: 'output_text', text, annotations: [] }];
  return { ...status, type: 'message', role: 'assistant', content };
}

function toEvent(event: Event, sequence: number): string {
  return `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: sequence })}\n\n`;
}

function usageOf(input: number, output: number): object {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

function forcedTool({ tools, tool_choice: choice }: CompletionRequest['fields']): Tool | undefined {
  if (!Array.isArray(tools) || choice === undefined || choice === null) return undefined;
  const known = tools as readonly Tool[];
  return choice === 'required' ? known[0] : known.find(({ name }) => name === (choice as Partial<Tool>).name);
}

function inputText(input: unknown): string {
  if (typeof input === 'string') return input;
  if (!Array.isArray(input)) throw invalid('input', 'must be a text or a list of items');
  const contents = (input as { content?: unknown }[]).map(({ content }) => content);
  return contents
    .flatMap((content) =>
      Array.isArray(content) ? (content as { text?: string }[]) : [{ text: content as string }],
    )
    .flatMap(({ text }) => text ?? [])
    .join(' ');
}
