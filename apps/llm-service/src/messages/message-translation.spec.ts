import { describe, expect, it } from '@jest/globals';
import type { HostResponse } from '@morgan/distributed-llm';
import { dialectOf, WholeBody } from '@morgan/llm-protocol';
import { MessageReader } from './message-reader.ts';
import { messageResponse } from './message-translation.ts';

const answered = (text: string): HostResponse => {
  const whole = Buffer.from(text);
  return {
    host: 'host',
    status: 200,
    headers: [],
    contentType: 'text/plain',
    whole,
    body: new WholeBody(whole),
    attempts: 1,
    route: undefined,
    model: 'm',
    isModelNamed: false,
    upstreamRequestId: undefined,
  };
};

describe('a chat completion that becomes a message', () => {
  it.each(['data: {"choices":[]}\n\ndata: [DONE]\n\n', '{"choices":', '[]', 'null', '{}'])(
    'is an error of the host where it is none: %j',
    async (text) => {
      await expect(
        messageResponse(answered(text), {
          dialect: dialectOf('/messages'),
          message: {},
          reader: new MessageReader(),
          room: { limitBytes: 1_000, grow: () => undefined },
        }),
      ).rejects.toMatchObject({
        code: 'host_error',
      });
    },
  );
});
