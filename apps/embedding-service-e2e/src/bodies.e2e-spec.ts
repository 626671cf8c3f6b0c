import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { costOf, postJson, type RunningService, startService } from '@morgan/testing';

const MIB = 1024 * 1024;

let service: RunningService;

beforeAll(async () => {
  service = await startService({ app: 'embedding-service' });
});

afterAll(() => service.stop());

const post = (body: string, headers: Record<string, string> = {}) =>
  postJson(`${service.url}/v1/embeddings`, body, headers);

/** Close to a million of something, each with its number. */
const numbered = (what: string) =>
  Array.from({ length: 490_000 }, (_, index) => what.replace('$', String(index))).join();

const inputs = (list: string) => `{"model":"default","input":[${list}]}`;

describe('a body made of faults', () => {
  it.each([
    ['millions of empty texts', inputs(`${'"",'.repeat(5_000_000)}""`), 'body_too_complex', null],
    ['empty texts', inputs(`${'"",'.repeat(900_000)}""`), 'array_above_max_length', 'input'],
    ['wrong token ids', inputs(`${'-12345678901,'.repeat(900_000)}-1`), 'invalid_value', 'input[0]'],
    ['endless nesting', '['.repeat(12_000_000), 'body_too_complex', null],
    [
      'a field of its own',
      `{"model":"default","input":"x","user":[${'0,'.repeat(900_000)}0]}`,
      'invalid_type',
      'user',
    ],
    ['keys', `{"model":"default","input":"x","other":{${numbered('"k$":0')}}}`, 'body_too_complex', null],
    ['small objects', `{"model":"default","input":[${numbered('{"k$":0}')}]}`, 'body_too_complex', null],
    ['short texts', inputs(numbered('"t$"')), 'array_above_max_length', 'input'],
  ])('such as %s costs neither time nor memory', async (_, body, code, param) => {
    const { response, ...cost } = await costOf(service, () => post(body));
    const { error } = (await response.json()) as { error: { code: string; param: string | null } };
    expect([response.status, error.code, error.param]).toEqual([400, code, param]);
    expect(cost.seconds).toBeLessThan(1);
    expect(cost.livezSeconds).toBeLessThan(0.3);
    expect(cost.grownBytes).toBeLessThan(250 * MIB);
  });
});

describe('a body as large as may be', () => {
  const MEGABYTES_15 = 15_000_000;
  const words = Array.from({ length: 2048 }, (_, index) => `"${'word '.repeat(1_400)}${index}"`).join();

  it.each([
    ['2,048 texts of 7 kB', inputs(words), 504],
    ['a million token ids', inputs(Array.from({ length: 999_000 }, (_, index) => index % 1_000).join()), 200],
    ['one text', `{"model":"default","input":"${'word '.repeat(MEGABYTES_15 / 5)}"}`, 200],
    ['one text of escapes', `{"model":"default","input":"${'\\u0061 '.repeat(MEGABYTES_15 / 7)}"}`, 200],
  ])('such as %s never holds up everybody else for long', async (_, body, status) => {
    const headers = { 'x-morgan-deadline-ms': status === 504 ? '1500' : '60000' };
    const { response, ...cost } = await costOf(service, () => post(body, headers));
    expect(response.status).toBe(status);
    expect(cost.livezSeconds).toBeLessThan(0.3);
    expect(cost.grownBytes).toBeLessThan(250 * MIB);
  });
});

describe('a text whose characters become many', () => {
  it('holds nobody up where its tokens are listed', async () => {
    // Eighteen letters and spaces in the form that the model reads.
    const body = JSON.stringify({ inputs: '\uFDFA'.repeat(65_536) });
    const headers = { 'content-type': 'application/json' };
    const call = () => fetch(`${service.url}/tokenize`, { method: 'POST', headers, body });
    const { response, ...cost } = await costOf(service, call);
    expect(response.status).toBe(413);
    expect(cost.livezSeconds).toBeLessThan(0.3);
    expect(cost.grownBytes).toBeLessThan(250 * MIB);
  });
});

describe('a whole call', () => {
  it('has an end without any header', async () => {
    await using bounded = await startService({
      app: 'embedding-service',
      env: { CALL_TIMEOUT_MS: '100', EMBEDDING_WORKERS: '1' },
    });
    const input = Array.from({ length: 2048 }, (_, index) => `${'rather many words '.repeat(30)}${index}`);
    const response = await postJson(
      `${bounded.url}/v1/embeddings`,
      { model: 'default', input },
      { 'x-morgan-deadline-ms': '600000' },
    );
    const { error } = (await response.json()) as { error: { code: string } };
    expect([response.status, error.code]).toEqual([504, 'deadline_exceeded']);
  });
});
