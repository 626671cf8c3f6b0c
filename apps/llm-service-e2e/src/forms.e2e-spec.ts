import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listen, type LocalServer, type RunningService, startService } from '@morgan/testing';

const MIB = 1024 * 1024;
const FILE_BYTES = 300 * MIB;
const HEAD =
  '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper\r\n' +
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';

let host: LocalServer;
let received = 0;
let gateway: RunningService;

beforeAll(async () => {
  host = await listen((incoming, response) => answer(incoming).then((text) => response.end(text)));
  gateway = await startService({
    app: 'llm-service',
    env: {
      LLM_HOSTS: `one=${host.origin}/v1`,
      BODY_LIMIT_BYTES: String(2 * FILE_BYTES),
      MAX_BODY_BYTES: String(4 * FILE_BYTES),
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await host.close();
});

async function answer(incoming: IncomingMessage): Promise<string> {
  for await (const chunk of incoming as AsyncIterable<Buffer>) received += chunk.length;
  return incoming.method === 'GET' ? '{"data":[]}' : '{"text":"hello"}';
}

const figure = async (name: string): Promise<number> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name} ([\\d.e+]+)`, 'm').exec(text)?.[1]);
};
const residentBytes = () => figure('process_resident_memory_bytes');

describe('a form of 300 MiB', () => {
  it('passes through, and counts as what is held of it', async () => {
    const before = await residentBytes();
    let peak = before;
    let charged = 0;
    const upload = request(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    });
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.write(HEAD);
    const piece = Buffer.alloc(MIB, 'x');
    for (let sent = 0; sent < FILE_BYTES; sent += piece.length) {
      if (!upload.write(piece)) await once(upload, 'drain');
      if (sent % (10 * MIB) > 0) continue;
      peak = Math.max(peak, await residentBytes());
      charged = Math.max(charged, await figure('morgan_http_body_bytes'));
    }
    upload.end('\r\n--b--\r\n');
    const [response] = await answered;
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(received).toBeGreaterThan(FILE_BYTES);
    expect(charged).toBe(4 * MIB);
    expect(peak - before).toBeLessThan(FILE_BYTES / 2);
  });
});
