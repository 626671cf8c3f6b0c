import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { llmServiceConfig } from './llm-service.config.ts';
import { unreachedLimits } from './unreached-limits.ts';

describe('limits of hosts that are never reached', () => {
  const found = (env: Record<string, string>) => {
    const config = loadConfig(llmServiceConfig, { env: { LLM_HOSTS: 'one=http://h/v1', ...env } });
    return unreachedLimits(config.llmService).map(({ limit, endsBefore }) => `${limit} ${endsBefore}`);
  };

  it('are none by default', () => {
    expect(found({})).toEqual([]);
  });

  it.each([
    [{ CHAT_TIMEOUT_MS: '60000' }, ['firstByteTimeoutMs llmService.timeouts.chatMs']],
    [{ CHAT_TIMEOUT_MS: '60000', LLM_ANSWER_TIMEOUT_MS: '50000' }, []],
    [
      { CHAT_TIMEOUT_MS: '60000', LLM_ANSWER_TIMEOUT_MS: '60000' },
      ['answerTimeoutMs llmService.timeouts.chatMs'],
    ],
    [
      { CHAT_STREAM_TIMEOUT_MS: '90000' },
      [
        'firstByteTimeoutMs llmService.timeouts.chatStreamMs',
        'streams.stallTimeoutMs llmService.timeouts.chatStreamMs',
      ],
    ],
    [
      {
        CHAT_STREAM_TIMEOUT_MS: '90000',
        LLM_FIRST_BYTE_TIMEOUT_MS: '30000',
        STREAM_STALL_TIMEOUT_MS: '9000',
      },
      [],
    ],
  ])('are named with what comes before them: %j', (env, limits) => {
    expect(found(env)).toEqual(limits.map((limit) => `llmService.upstream.${limit}`));
  });

  it('are told of a route by its place, and once', () => {
    const route = { model: 'a', tiers: [[{ host: 'one' }]] };
    const limits = (...own: object[]) => {
      const file = {
        llmService: { upstream: { routes: own.map((each, at) => ({ ...route, model: `m${at}`, ...each })) } },
      };
      const { llmService } = loadConfig(llmServiceConfig, { env: { LLM_HOSTS: 'one=http://h/v1' }, file });
      return unreachedLimits(llmService).map(({ limit, endsBefore }) => [limit, endsBefore]);
    };
    expect(limits({}, { totalTimeoutMs: 400_000 })).toEqual([]);
    expect(limits({}, { firstByteTimeoutMs: 1_800_000, answerTimeoutMs: 5, stallTimeoutMs: 5 })).toEqual([
      ['llmService.upstream.routes.1.firstByteTimeoutMs', 'llmService.timeouts.chatStreamMs'],
    ]);
    expect(limits({ totalTimeoutMs: 200_000, stallTimeoutMs: 200_000 })).toEqual([
      ['llmService.upstream.firstByteTimeoutMs', 'llmService.upstream.routes.0.totalTimeoutMs'],
      ['llmService.upstream.routes.0.stallTimeoutMs', 'llmService.upstream.routes.0.totalTimeoutMs'],
    ]);
  });
});
