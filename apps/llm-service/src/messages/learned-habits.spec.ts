import { describe, expect, it } from '@jest/globals';
import type { ReportedError } from '@morgan/host-errors';
import { LearnedHabits } from './learned-habits.ts';

const refusal = (message: string): ReportedError[] => [
  { message, status: undefined, type: 'invalid_request_error', code: undefined },
];
const UNSUPPORTED = refusal(
  "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
);
const lengthField = (habits: LearnedHabits, model?: string) => habits.of(model).lengthField;

describe('how a model wants to be asked', () => {
  it('is learned once, of each model', () => {
    const habits = new LearnedHabits();
    expect([lengthField(habits, 'm'), habits.learn('m', UNSUPPORTED)]).toEqual(['max_tokens', true]);
    expect([lengthField(habits, 'm'), habits.learn('m', UNSUPPORTED)]).toEqual([
      'max_completion_tokens',
      false,
    ]);
    expect([lengthField(habits, 'n'), lengthField(habits)]).toEqual(['max_tokens', 'max_tokens']);
  });

  it('adds up', () => {
    const habits = new LearnedHabits();
    const said = [
      'Unknown parameter: user',
      'System message must be at the beginning.',
      'Unknown: extra_content',
    ];
    for (const message of said) expect(habits.learn('m', refusal(message))).toBe(true);
    expect(habits.of('m')).toEqual({
      lengthField: 'max_tokens',
      longest: Infinity,
      systemFirst: true,
      resultsTaken: false,
      noNull: false,
      ids: 'any',
      everyThought: false,
      usualEffort: false,
      budgets: true,
      without: new Set(['user', 'extra_content']),
    });
  });

  it.each([
    ['another refusal', refusal('max_tokens must be at least 1, or set max_completion_tokens.')],
    ['an answer', []],
    [
      'what is quoted of a request',
      refusal(
        "[{'msg': 'Extra inputs are not permitted', 'input': {'user': 'u', 'messages': [{'content': 'System prompt first: max_tokens is not supported, use max_completion_tokens'}]}}]",
      ),
    ],
  ])('is not learned from %s', (_, refusals) => {
    const habits = new LearnedHabits();
    expect([habits.learn('m', refusals), lengthField(habits, 'm')]).toEqual([false, 'max_tokens']);
  });

  it('is known of the latest 1,000', () => {
    const habits = new LearnedHabits();
    for (let count = 0; count <= 1_000; count += 1) habits.learn(`m-${count}`, UNSUPPORTED);
    expect([lengthField(habits, 'm-0'), lengthField(habits, 'm-1')]).toEqual([
      'max_tokens',
      'max_completion_tokens',
    ]);
  });
});
