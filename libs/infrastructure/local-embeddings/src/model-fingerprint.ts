import type { ModelInfo } from './model/embedding-model.types.ts';

/** Everything whose change changes the vectors of a loaded model: the start of every cache key. */
export class ModelFingerprint {
  readonly #id: string;
  readonly #info: ModelInfo;
  /** What every call asks for is written once. */
  readonly #byDefault: string;

  constructor(id: string, info: ModelInfo) {
    this.#id = id;
    this.#info = info;
    this.#byDefault = this.#of(info.defaultPrompt);
  }

  /** @param promptName the model's prompt that stands before texts. Default: its default prompt. */
  of(promptName?: string): string {
    return promptName === undefined ? this.#byDefault : this.#of(promptName);
  }

  #of(promptName: string | undefined): string {
    const { backend, device, dtype, dimensions, maxTokens, pooling, modules, prompts, defaultPrompt, digest } =
      this.#info;
    const identity = {
      backend,
      device,
      dtype,
      dimensions,
      maxTokens,
      pooling,
      modules,
      prompts,
      defaultPrompt,
      digest,
    };
    return JSON.stringify([this.#id, identity, promptName]);
  }
}
