import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runReadmeExample } from '@morgan/testing';
import { events, json, ScriptedHost } from '../fixture/scripted-host.ts';

const ANSWER = { choices: [{ index: 0, message: { role: 'assistant', content: 'Hi.' } }] };
const EVENT = JSON.stringify({ choices: [{ index: 0, delta: { content: 'Hi.' } }] });

it('the example of the README runs and prints what its comments say', async () => {
  await using host = await ScriptedHost.start((response, request, body) => {
    const stream = events(`data: ${EVENT}\n\ndata: [DONE]\n\n`);
    const reply = body.includes('"stream":true') ? stream : json(200, ANSWER);
    reply(response, request, body);
  });
  const instead = { 'http://192.168.1.20:11434/v1': host.url, 'http://192.168.1.21:11434/v1': host.url };
  const { said, printed } = await runReadmeExample(join(import.meta.dirname, '../README.md'), instead);
  expect(said).toHaveLength(4);
  expect(printed).toEqual(said);
  expect(host.bodies[0]).toBe('{"model":"qwen3","messages":[{"role":"user","content":"Hello!"}]}');
});
