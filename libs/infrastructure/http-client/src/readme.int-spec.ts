import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runReadmeExample } from '@morgan/testing';
import { respond, ScriptedServer } from '../fixture/scripted-server.ts';

it('the example of the README runs and prints what its comments say', async () => {
  await using server = new ScriptedServer([respond(503), respond(200, '{"answer":"Well."}'), respond(404)]);
  const instead = { 'https://api.example.com': `http://127.0.0.1:${await server.listen()}` };
  const { said, printed } = await runReadmeExample(join(import.meta.dirname, '../README.md'), instead);
  expect(said).toHaveLength(4);
  expect(printed).toEqual(said);
  expect(server.requests[0]).toMatch(/^POST \/api\/endpoint .*\{"question":"How are you\?"\}$/s);
});
