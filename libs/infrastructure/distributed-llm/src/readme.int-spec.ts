import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { RUN_SOURCES } from '@morgan/testing';
import { events, json, ScriptedHost } from '../fixture/scripted-host.ts';

const FOLDER = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const EVENT = JSON.stringify({ choices: [{ index: 0, delta: { content: 'Hi.' } }] });

describe('the README', () => {
  it('has the example that runs and prints what its comments say', async () => {
    const example = read('example.ts').replace("'./src/index.ts'", "'@morgan/distributed-llm'");
    expect(read('README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, line]) => line);
    await using host = await ScriptedHost.start((response, request, body) => {
      const stream = events(`data: ${EVENT}\n\ndata: [DONE]\n\n`);
      const reply = body.includes('"stream":true') ? stream : json(200, { answer: 'Hi.' });
      reply(response, request, body);
    });
    const child = spawn(process.execPath, [...RUN_SOURCES, '--input-type=module-typescript', '-'], {
      cwd: FOLDER,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    child.stdin.end(example.replaceAll(/http:\/\/192[\d.:]+\/v1/g, host.url));
    expect((await text(child.stdout)).trim().split('\n')).toEqual(said);
    expect(await exited).toEqual([0, null]);
    expect(host.bodies[0]).toBe('{"model":"qwen3","messages":[{"role":"user","content":"Hello!"}]}');
  });
});
