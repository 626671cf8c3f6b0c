import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { habitsShown, USUAL_HABITS } from './chat-habits.ts';
import { toChatRequest } from './chat-request.ts';

const HI = { role: 'user', content: 'Hi' };

/** A request as it is asked once more behind refusals; undefined where one of them shows nothing new. */
function askedAgain(request: JsonObject, ...refusals: string[]): JsonObject | undefined {
  let habits = USUAL_HABITS;
  for (const message of refusals) {
    const shown = habitsShown(habits, {
      message,
      param: /^Invalid value/.test(message) ? 'reasoning_effort' : undefined,
    });
    if (!shown) return undefined;
    habits = shown;
  }
  return toChatRequest({ model: 'm', max_tokens: 9, messages: [HI], ...request }, habits);
}

describe('an effort that a model refuses', () => {
  const only = (known: string) =>
    `Unsupported value: 'reasoning_effort' does not support 'low' with this model. Supported values are: ${known}.`;
  const thinking = { type: 'enabled', budget_tokens: 1_024 };

  it.each([
    only("'high'"),
    only("'medium' and 'high'"),
    '`reasoning_effort` must be one of `none` or `default`',
    "body.reasoning_effort: Input should be 'none' or 'high'",
    "Invalid value: 'low'. Supported values are: 'medium', 'high'.",
  ])('is none where it only stands for a budget: %s', (said) => {
    expect(askedAgain({ thinking }, said)).not.toHaveProperty('reasoning_effort');
    expect(askedAgain({ output_config: { effort: 'low' } }, said)).toMatchObject({ reasoning_effort: 'low' });
    expect(askedAgain({ thinking }, said, said)).toBeUndefined();
  });

  it.each([
    "Unsupported value: 'reasoning_effort' does not support 'xhigh' with this model. Supported values are: 'low', 'medium', and 'high'.",
    'invalid reasoning value: \'xhigh\' (must be "high", "medium", "low", "max", or "none")',
  ])('is a lower one where it is the highest: %s', (said) => {
    const effort = (wish: JsonObject) => askedAgain(wish, said)?.['reasoning_effort'];
    expect(effort({ output_config: { effort: 'xhigh' } })).toBe('high');
    expect(effort({ thinking })).toBe('low');
  });
});

it('the length that an answer may have is learned from NVIDIA, too', () => {
  const said = 'body.max_tokens: Input should be less than or equal to 4096';
  expect(askedAgain({ max_tokens: 64_000 }, said)).toMatchObject({ max_tokens: 4_096 });
});

it('ids of calls have nine letters and digits for Mistral, the same each time', () => {
  const messages = ['toolu_01ABC', 'abcdEFG12'].flatMap((id) => [
    HI,
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: '2' }] },
  ]);
  const said = 'Tool call id was toolu_01ABC but must be a-z, A-Z, 0-9, with a length of 9.';
  const told = askedAgain({ messages }, said)?.['messages'] as JsonObject[];
  const called = told.flatMap(({ tool_calls: calls }) => (calls as JsonObject[] | undefined) ?? []);
  const ids = called.map(({ id }) => id);
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{9}$/), 'abcdEFG12']);
  expect(told.flatMap(({ tool_call_id: id }) => id ?? [])).toEqual(ids);
});
