import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { RUN_SOURCES } from '@morgan/testing';
import { respond, ScriptedServer } from '../fixture/scripted-server.ts';

const FOLDER = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

describe('the README', () => {
  it('has the example that runs and prints what its comments say', async () => {
    const example = read('example.ts').replace("'./src/index.ts'", "'@morgan/http-client'");
    expect(read('README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, line]) => line);
    await using server = new ScriptedServer([respond(503), respond(200, '{"answer":"Well."}'), respond(404)]);
    const here = `http://127.0.0.1:${await server.listen()}`;
    const child = spawn(process.execPath, [...RUN_SOURCES, '--input-type=module-typescript', '-'], {
      cwd: FOLDER,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    child.stdin.end(example.replace('https://api.example.com', here));
    expect((await text(child.stdout)).trim().split('\n')).toEqual(said);
    expect(await exited).toEqual([0, null]);
    expect(server.requests[0]).toMatch(/^POST \/api\/endpoint .*\{"question":"How are you\?"\}$/s);
  });

  it('is short', () => {
    expect(read('README.md').split('\n').length - 1).toBeLessThanOrEqual(60);
  });
});
