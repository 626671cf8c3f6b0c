import { AppError } from '@morgan/foundation';
import type { ModelInfo, PromptChoice } from './model/embedding-model.types.ts';
import type { EmbeddingInput } from './processes/process-protocol.ts';

/** How the inputs of a call are to be read, and what its caller calls each of them. */
interface InputReading extends PromptChoice {
  readonly paramOf: (index: number) => string;
}

/**
 * @throws AppError `invalid_value` for what is neither text nor token ids, and for a prompt that the model does not have or that
 *   stands before token ids; `invalid_token_id`
 */
export function checkInputs(
  inputs: readonly EmbeddingInput[],
  { prompts, vocabularySize }: Pick<ModelInfo, 'prompts' | 'vocabularySize'>,
  { paramOf, ...prompt }: InputReading,
): void {
  checkTokenIds(inputs, vocabularySize, paramOf);
  checkPrompt(prompt, inputs, prompts);
}

function checkPrompt(
  { promptName: name, prompt }: PromptChoice,
  inputs: readonly EmbeddingInput[],
  prompts: ModelInfo['prompts'],
): void {
  if (name === undefined && !prompt) return;
  const refuse = (message: string) =>
    new AppError('invalid_value', message, { param: name === undefined ? 'prompt' : 'prompt_name' });
  if (name !== undefined && !Object.hasOwn(prompts, name))
    throw refuse(
      `The model has no prompt '${name}'; its prompts are: ${Object.keys(prompts).join(', ') || 'none'}.`,
    );
  if (inputs.some((input) => typeof input !== 'string'))
    throw refuse('A prompt cannot stand before token ids, which are fed to the model as they are.');
}

function checkTokenIds(
  inputs: readonly EmbeddingInput[],
  vocabularySize: number,
  paramOf: (index: number) => string,
): void {
  if (!isList(inputs))
    throw notAnInput('The inputs must be a list; put a single one into a list, too.', 'input');
  inputs.forEach((input, index) => {
    if (typeof input === 'string') return;
    if (!isList(input)) throw notAnInput('An input must be a text or a list of token ids.', paramOf(index));
    const bad = input.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabularySize);
    if (bad === undefined) return;
    throw new AppError(
      'invalid_token_id',
      `Token id ${bad} is not in the vocabulary of the model, which has ${vocabularySize} entries. Token ids must be those of its own tokenizer; a client that makes others of texts is to send the texts.`,
      { param: paramOf(index) },
    );
  });
}

function notAnInput(message: string, param: string): AppError {
  return new AppError('invalid_value', message, { param });
}

/** Callers in JavaScript may give anything. `Array.isArray` alone makes a list of `any` of a read-only one. */
function isList(value: readonly unknown[]): boolean {
  return Array.isArray(value);
}
