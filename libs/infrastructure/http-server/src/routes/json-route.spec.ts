import { expect, it } from '@jest/globals';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { jsonRoute } from './json-route.ts';

it('an answer is handed on at the end of the turn, together with the others of it', async () => {
  const order: string[] = [];
  const route = jsonRoute<object>({
    path: '/answers',
    tag: 'test',
    summary: '',
    schema: z.looseObject({}),
    answer: () => Promise.resolve(void order.push('made')),
  });
  const call = () =>
    route.handle({ body: {} } as FastifyRequest, {} as FastifyReply).then(() => void order.push('handed on'));
  // Whatever else the loop has to do in this turn.
  setImmediate(() => order.push('rest of the turn'));
  await Promise.all([call(), call()]);
  expect(order).toEqual(['made', 'made', 'rest of the turn', 'handed on', 'handed on']);
});
