import { type CallOptions, DistributedLlmClient, type DistributedLlmOptions } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import { z } from 'zod';
import { ServiceFigures, type ServiceMetrics } from './service-figures.ts';

/** The hosts, and the models that are asked for where a call names none. */
type LlmServiceOptions = DistributedLlmOptions & {
  readonly model?: string | undefined;
  readonly embeddingModel?: string | undefined;
};

/** A text to be answered. */
interface GenerateRequest extends CallOptions {
  readonly prompt: string;
  readonly systemPrompt?: string | undefined;
  readonly model?: string | undefined;
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
}

/** A response, who gave it and what it cost. */
interface Generation {
  readonly text: string;
  readonly model: string;
  readonly host: string;
  /** Prompt and answer together, as the host counted; 0 where it did not. */
  readonly tokens: number;
}

const usage = z.object({ total_tokens: z.number().min(0) }).nullish();
const chatResponse = z.object({
  model: z.string().optional(),
  choices: z.array(z.object({ message: z.object({ content: z.string().nullable() }) })).min(1),
  usage,
});
const embeddingResponse = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()) })),
  usage,
});

/** Texts and vectors from many hosts as one, for programs that need no HTTP server. */
export class LlmService {
  readonly #client: DistributedLlmClient;
  readonly #models: Pick<LlmServiceOptions, 'model' | 'embeddingModel'>;
  readonly #figures = new ServiceFigures();

  /** @throws ConfigError when a setting is out of its bounds or unknown. */
  constructor({ model, embeddingModel, ...client }: LlmServiceOptions) {
    this.#models = { model, embeddingModel };
    this.#client = new DistributedLlmClient(client);
  }

  start(): Promise<void> {
    return this.#client.start();
  }

  stop(): Promise<void> {
    return this.#client.stop();
  }

  /** @throws HostError with a host's own refusal; AppError `host_error` where the response is no chat completion, else as `DistributedLlmClient.send`. */
  generate({
    prompt,
    systemPrompt,
    model,
    maxTokens,
    temperature,
    ...options
  }: GenerateRequest): Promise<Generation> {
    const system = systemPrompt === undefined ? [] : [{ role: 'system', content: systemPrompt }];
    const body = {
      model: model ?? this.#models.model,
      messages: [...system, { role: 'user', content: prompt }],
      max_tokens: maxTokens,
      temperature,
    };
    return this.#figures.count('generation', async () => {
      const { data, host, model: asked } = await this.#client.post('/chat/completions', body, options);
      const response = read(chatResponse, data);
      const text = response.choices[0]?.message.content ?? '';
      return { text, model: response.model ?? asked ?? '', host, tokens: response.usage?.total_tokens ?? 0 };
    });
  }

  /** One vector for each text, in their order. Throws as {@link LlmService.generate}. */
  async embed(texts: readonly string[], options: CallOptions = {}): Promise<readonly (readonly number[])[]> {
    const body = { model: this.#models.embeddingModel ?? this.#models.model, input: texts };
    const { vectors } = await this.#figures.count('embedding', async () => {
      const { data } = await this.#client.post('/embeddings', body, options);
      const response = read(embeddingResponse, data);
      const ordered = response.data.toSorted((one, other) => one.index - other.index);
      if (ordered.length !== texts.length || ordered.some(({ index }, at) => index !== at))
        throw new AppError('host_error', 'The host did not give one vector for each text.');
      return {
        vectors: ordered.map(({ embedding }) => embedding),
        tokens: response.usage?.total_tokens ?? 0,
      };
    });
    return vectors;
  }

  getMetrics(): ServiceMetrics {
    return this.#figures.read();
  }

  /** Probes every host now. Healthy while one of them is up. */
  async healthCheck(): Promise<{ healthy: boolean; hosts: Readonly<Record<string, boolean>> }> {
    const hosts = await this.#client.healthCheckAll();
    return { healthy: Object.values(hosts).includes(true), hosts };
  }
}

function read<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
  const { success, data: value } = schema.safeParse(data);
  if (!success) throw new AppError('host_error', 'The host gave an answer of another shape.');
  return value;
}
