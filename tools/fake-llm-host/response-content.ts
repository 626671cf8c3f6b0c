/** A response before it is decided how it travels. Only one of the two is asked for. */
export interface ResponseContent {
  /** Tokens of the longest choice: at a given speed, how long the response takes. */
  readonly tokenCount: number;
  /** The JSON body. */
  body(): string;
  /** The server-sent events, without the end marker. */
  events(): string[];
  /** What the events end with. Default `[DONE]`. */
  readonly end?: string;
  /** How the API says that it failed, as JSON. Default as OpenAI says it. */
  readonly failure?: string;
}

/** Fields that open every body and every event of one response. */
interface Head {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: 'simulated';
}

/** Token counts: words, so that anyone can check them. */
interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

let served = 0;

/** A head with a number of its own. */
export function newHead(prefix: string, object: string, model: string): Head {
  served += 1;
  const created = Math.floor(Date.now() / 1000);
  return { id: `${prefix}-simulated-${served}`, object, created, model, system_fingerprint: 'simulated' };
}

export function usageOf(promptTokens: number, completionTokens: number): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** Wraps chunks as events. With `usage`, every chunk has the field and one more chunk without choices has the counts. */
export function toEvents(head: Head, choices: readonly object[], usage: Usage | undefined): string[] {
  const opening = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[`;
  const closing = usage ? '],"usage":null}\n\n' : ']}\n\n';
  const events = choices.map((choice) => opening + JSON.stringify(choice) + closing);
  if (usage) events.push(`${opening}],"usage":${JSON.stringify(usage)}}\n\n`);
  return events;
}

/** Takes one element of each list in turn, as a host does that works on several choices at a time. */
export function interleave<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const rounds = Array.from({ length: longest }, (_, index) =>
    lists.map((list) => list.slice(index, index + 1)),
  );
  return rounds.flat(2);
}
