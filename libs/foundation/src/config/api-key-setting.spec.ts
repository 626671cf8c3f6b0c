import { describe, expect, it } from '@jest/globals';
import { apiKeySetting } from './api-key-setting.ts';

describe('the setting of a key', () => {
  it.each(['sk-proj_123', 'a$b', 'a$(b', '$}{x}', "it's", '{key}'])('may be %s', (key) => {
    expect(apiKeySetting.safeParse(key).success).toBe(true);
  });

  it.each([
    ['two words', 'visible ASCII'],
    ['schlüssel', 'visible ASCII'],
    ['', 'visible ASCII'],
    ['os.environ/OPENAI_API_KEY', 'looks like the name of a variable'],
    ['$OPENAI_API_KEY', 'looks like the name of a variable'],
    ['{{OPENAI_API_KEY}}', 'looks like the name of a variable'],
    ['${OPENAI_API_KEY}', 'looks like the name of a variable'],
    ['$(OPENAI_API_KEY)', 'looks like the name of a variable'],
    ['sk-${OPENAI_API_KEY}', 'looks like the name of a variable'],
    ['"sk-123"', 'has quotes around it'],
    ["'sk-123'", 'has quotes around it'],
  ])('may not be %j', (key, fault) => {
    const { error } = apiKeySetting.safeParse(key);
    expect(error?.issues.map(({ message }) => message).join()).toContain(fault);
  });
});
