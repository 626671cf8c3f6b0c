import { describe, expect, it } from '@jest/globals';
import { AppError } from './app-error.ts';
import { ERROR_CODES } from './error-codes.ts';
import { ENVELOPE_TYPE, HTTP_STATUS } from './error-kind.ts';

describe('AppError', () => {
  it("speaks OpenAI's envelope", () => {
    const error = new AppError('empty_array', "'input' must have at least one element.", { param: 'input' });
    expect(error.status).toBe(400);
    expect(error.toEnvelope()).toEqual({
      error: {
        message: "'input' must have at least one element.",
        type: 'invalid_request_error',
        param: 'input',
        code: 'empty_array',
      },
    });
  });

  it('keeps its cause to itself', () => {
    const error = new AppError('internal_error', 'Sorry.', { cause: new Error('password') });
    expect(JSON.stringify(error.toEnvelope())).not.toContain('password');
    expect(error.toEnvelope().error.param).toBeNull();
  });

  it('gives every code a kind that has a status and a type', () => {
    for (const { kind } of Object.values(ERROR_CODES)) {
      expect(HTTP_STATUS[kind]).toBeGreaterThanOrEqual(400);
      expect(ENVELOPE_TYPE[kind]).toMatch(/_error$/);
    }
  });
});
