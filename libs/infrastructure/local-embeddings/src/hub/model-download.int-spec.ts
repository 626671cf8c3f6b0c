import { randomBytes, randomUUID } from 'node:crypto';
import {
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Logger, silentLogger } from '@morgan/foundation';
import { CertificateAuthority, ForwardProxy, waitFor } from '@morgan/testing';
import {
  cutAfter,
  cutRestAfter,
  etagOf,
  type HubFault,
  HubServer,
  redirectTo,
} from '../../fixture/hub-server.ts';
import { onnxFile } from '../../fixture/protobuf.ts';
import { TRANSFORMER_SETTINGS_FILES } from '../model/plan/sentence-plan.reader.ts';
import { downloadModel, type ModelDownloadOptions } from './model-download.ts';
import type { HubSource } from './model-source.ts';

const WEIGHTS = 'onnx/model.onnx';
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', WEIGHTS];
const OPTIONAL = [
  'modules.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
  ...TRANSFORMER_SETTINGS_FILES,
];
const FURTHER = ['special_tokens_map.json', 'added_tokens.json', 'README.md'];

let root: string;
let hub: HubServer;
let content: Buffer;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'morgan-download-'));
  hub = await HubServer.start();
  // More than fits into the buffers between two sockets.
  content = onnxFile(randomBytes(4 * 1024 * 1024));
  for (const name of FILES) hub.files.set(name, Buffer.from(JSON.stringify(name)));
  hub.files.set(WEIGHTS, content);
});
afterEach(async () => {
  await hub.close();
  await rm(root, { recursive: true });
});

const download = (source: Partial<HubSource> = {}, more: Partial<ModelDownloadOptions> = {}) =>
  downloadModel({
    source: { kind: 'hub', id: 'a/b', revision: 'main', cacheDir: root, hubUrl: hub.origin, ...source },
    choice: { dtype: 'fp32', device: 'cpu' },
    logger: silentLogger,
    signal: new AbortController().signal,
    ...more,
  });

/** Everything in the folder of the model. */
async function written(): Promise<string[]> {
  const entries = await readdir(join(root, 'a/b'), { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(join(root, 'a/b/').length)).sort();
}

/** Half a file, as a process leaves it that is killed. */
async function half(ageSeconds: number): Promise<string> {
  const name = `${WEIGHTS}.${randomUUID()}.part`;
  const path = join(root, 'a/b', name);
  await mkdir(join(root, 'a/b/onnx'), { recursive: true });
  await writeFile(path, 'half');
  const at = Date.now() / 1000 - ageSeconds;
  await utimes(path, at, at);
  return name;
}

const weights = () => readFile(join(root, 'a/b', WEIGHTS));
const requestsFor = (name: string) => hub.asked.filter(({ file }) => file === `main/${name}`);

const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}): HubFault =>
  (response) =>
    void response.writeHead(status, headers).end();

describe('a download', () => {
  it('asks for the weights last, and for nothing once they are there', async () => {
    await download();
    const names = hub.takeAsked().map(({ file }) => file.replace('main/', ''));
    expect(names).toEqual([...OPTIONAL, ...FILES.slice(0, 3), ...FURTHER, WEIGHTS]);
    expect(await written()).toEqual(FILES.toSorted());
    expect((await weights()).equals(content)).toBe(true);
    await download();
    expect(hub.asked).toEqual([]);
  });

  it('takes the modules that a sentence model names, and the files that its graph names', async () => {
    const modules = [{ path: '' }, { path: 'pooling' }, { path: '2_Dense' }];
    const more = [
      'config_sentence_transformers.json',
      'sentence_bert_config.json',
      'pooling/config.json',
      '2_Dense/config.json',
      '2_Dense/model.safetensors',
      'onnx/weights.bin',
    ];
    hub.files.set('modules.json', Buffer.from(JSON.stringify(modules)));
    hub.files.set(WEIGHTS, onnxFile(Buffer.from('graph'), ['weights.bin']));
    for (const name of more) hub.files.set(name, Buffer.from(JSON.stringify(name)));
    await download();
    expect(await written()).toEqual([...FILES, ...more, 'modules.json'].toSorted());
    expect(hub.asked.at(-1)?.file).toBe('main/onnx/weights.bin');
  });

  it('takes the template of a chat that a cross-encoder has: it may be put around query and text', async () => {
    hub.files.set('chat_template.jinja', Buffer.from('{{ messages }}'));
    await download();
    expect(requestsFor('chat_template.jinja')).toEqual([]);
    await rm(join(root, 'a/b'), { recursive: true });
    const config = { architectures: ['Qwen3ForSequenceClassification'] };
    hub.files.set('config.json', Buffer.from(JSON.stringify(config)));
    await download();
    expect(await written()).toEqual([...FILES, 'chat_template.jinja'].toSorted());
  });

  it('refuses modules and weights that lie outside of the folder', async () => {
    hub.files.set('modules.json', Buffer.from(JSON.stringify([{ path: '../../elsewhere' }])));
    await expect(download()).rejects.toThrow('../../elsewhere lies outside of the folder');
    hub.files.delete('modules.json');
    await rm(join(root, 'a/b/modules.json'));
    hub.files.set(WEIGHTS, onnxFile(Buffer.from('graph'), ['../../../etc/passwd']));
    await expect(download()).rejects.toThrow('../../etc/passwd lies outside of the folder');
  });

  it('goes on where it ended between a graph and its data', async () => {
    hub.files.set(WEIGHTS, onnxFile(Buffer.from('graph'), ['weights.bin']));
    await expect(download()).rejects.toThrow('the hub has no onnx/weights.bin');
    hub.files.set('onnx/weights.bin', Buffer.from('weights'));
    await download();
    expect(await written()).toContain('onnx/weights.bin');
  });

  it('asks for nothing any more where the graph is in a folder of its own', async () => {
    hub.files.set('modules.json', Buffer.from(JSON.stringify([{ path: '0_Transformer' }])));
    for (const name of FILES) hub.files.set(`0_Transformer/${name}`, hub.files.get(name) as Buffer);
    await download();
    expect(await written()).toEqual(
      [...FILES.map((name) => `0_Transformer/${name}`), 'modules.json'].toSorted(),
    );
    hub.takeAsked();
    await download();
    expect(hub.asked).toEqual([]);
  });

  it('takes only what is missing for another number format', async () => {
    await download();
    hub.files.set('onnx/model_quantized.onnx', onnxFile(Buffer.from('small')));
    hub.takeAsked();
    await download({}, { choice: { dtype: 'q8', device: 'cpu' } });
    const names = hub.asked.map(({ file }) => file.replace('main/', ''));
    expect(names).toEqual([...OPTIONAL, ...FURTHER, 'onnx/model_quantized.onnx']);
  });

  it('takes a graph where optimum puts it, in the folder itself', async () => {
    hub.files.delete(WEIGHTS);
    hub.files.set('model.onnx', onnxFile(Buffer.from('graph')));
    await download();
    expect(await written()).toEqual([...FILES.slice(0, 3), 'model.onnx'].toSorted());
  });

  it('may be made twice at once into one folder', async () => {
    await Promise.all([download(), download()]);
    expect(await written()).toEqual(FILES.toSorted());
    expect((await weights()).equals(content)).toBe(true);
  });

  it('takes away what a process left that was ended in the middle, and nothing that another one is at', async () => {
    const [old, fresh] = [await half(3600), await half(0)];
    await download();
    expect(await written()).not.toContain(old);
    expect(await written()).toEqual([...FILES, fresh].toSorted());
  });

  it('takes it away later, too, when all files are there: the start after a crash finds it too young', async () => {
    await download();
    await half(3600);
    const own = `${WEIGHTS}.part`;
    await writeFile(join(root, 'a/b', own), 'of somebody else');
    await utimes(join(root, 'a/b', own), 0, 0);
    hub.asked.length = 0;
    await download();
    expect(await written()).toEqual([...FILES, own].toSorted());
    expect(hub.asked).toEqual([]);
  });

  it('is on the disk before it has the name of a whole file, whatever happens to the power', async () => {
    await using any = await open(root);
    const handles = Object.getPrototypeOf(any) as FileHandle;
    const sync = jest.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
      synced.push({ size: (await this.stat()).size, named: await written() });
    });
    const synced: { size: number; named: string[] }[] = [];
    await download();
    sync.mockRestore();
    const last = synced.at(-1);
    expect(synced).toHaveLength(FILES.length);
    expect(last?.size).toBe(content.length);
    expect(last?.named).not.toContain(WEIGHTS);
    expect(await written()).toContain(WEIGHTS);
  });

  it('tells how far it is', async () => {
    const lines: object[] = [];
    const info: Logger['info'] = (fields) => lines.push(fields);
    await download({}, { logger: { ...silentLogger, info } });
    expect(lines.at(-1)).toEqual({ file: WEIGHTS, loadedBytes: content.length, totalBytes: content.length });
  });

  it('ends where its folder cannot be made, as no folder can below /proc', async () => {
    await expect(download({ cacheDir: '/proc/morgan' })).rejects.toThrow("mkdir '/proc/morgan'");
  });

  it('leaves no socket', async () => {
    await download();
    // Less than an idle connection is kept for.
    await waitFor(() => hub.sockets.size === 0, { what: 'no connection', timeoutMs: 2_000 });
  });
});

describe('a hub with troubles', () => {
  it('is asked again where it answers 503, or not at all', async () => {
    hub.misbehave('config.json', answer(503, { 'retry-after': '0' }), (response) => void response.destroy());
    await download();
    expect(requestsFor('config.json')).toHaveLength(3);
  });

  it('goes on where a file broke, as often as it breaks', async () => {
    const warnings: object[] = [];
    const warn: Logger['warn'] = (fields, message) => warnings.push({ ...fields, message });
    hub.misbehave(WEIGHTS, cutRestAfter(1_000_000), cutRestAfter(1_000_000));
    await download({}, { logger: { ...silentLogger, warn } });
    expect((await weights()).equals(content)).toBe(true);
    const [first, second, third] = requestsFor(WEIGHTS).map(({ range }) => Number(range?.slice(6, -1) ?? 0));
    expect(first).toBe(0);
    expect(second).toBeGreaterThan(0);
    expect(third).toBeGreaterThan(second as number);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatchObject({ file: WEIGHTS, message: 'a download broke; it is taken up again' });
  });

  it('starts a file again that has changed meanwhile, or that it gives no rest of', async () => {
    const changed = onnxFile(randomBytes(100_000));
    hub.misbehave(WEIGHTS, (response, all, request) => {
      cutAfter(1_000_000)(response, all, request);
      hub.files.set(WEIGHTS, changed);
    });
    await download();
    expect(requestsFor(WEIGHTS)).toHaveLength(2);
    expect((await weights()).equals(changed)).toBe(true);
  });

  it('sends a file whole again where the etag of the first part was weak', async () => {
    hub.misbehave(WEIGHTS, cutAfter(1_000_000, { etag: `W/${etagOf(content)}` }));
    await download();
    expect(requestsFor(WEIGHTS).map(({ range }) => range)).toEqual([undefined, undefined]);
    expect((await weights()).equals(content)).toBe(true);
  });

  it('may compress a file unasked, which is then begun anew where it breaks', async () => {
    let asked: string | undefined;
    const compressed: HubFault = (response, all, { headers }) => {
      asked = headers['accept-encoding'];
      response.writeHead(200, { etag: etagOf(all), 'content-encoding': 'gzip' }).end(gzipSync(all));
    };
    const cut: HubFault = (response, all) => {
      const body = gzipSync(all);
      response.writeHead(200, {
        etag: etagOf(all),
        'content-encoding': 'gzip',
        'content-length': body.length,
      });
      response.write(body.subarray(0, 1_000_000), () => response.destroy());
    };
    hub.misbehave(WEIGHTS, cut, compressed);
    hub.misbehave('config.json', compressed);
    await download();
    expect(asked).toBe('identity');
    expect(requestsFor(WEIGHTS).map(({ range }) => range)).toEqual([undefined, undefined]);
    expect((await weights()).equals(content)).toBe(true);
  });

  it('is told of where a file is not compressed as it says', async () => {
    hub.misbehave('config.json', (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('{}');
    });
    await expect(download()).rejects.toThrow('config.json is not compressed as its content-encoding says');
  });

  it('is given up where it sends another part than the one that was asked for', async () => {
    hub.misbehave(WEIGHTS, cutAfter(1_000_000), (response, all) => {
      response.writeHead(206, { 'content-range': `bytes 0-${all.length - 1}/${all.length}` }).end(all);
    });
    await expect(download()).rejects.toThrow(`the hub answered 206 for ${WEIGHTS}`);
    expect(await written()).not.toContain(WEIGHTS);
  });

  it.each([0, 500_000, 2_000_000])(
    'is given up where it breaks again and again, after %i bytes',
    async (bytes) => {
      hub.misbehave(WEIGHTS, ...Array.from({ length: 20 }, () => cutAfter(bytes)));
      await expect(download()).rejects.toMatchObject({ name: 'HttpClientError', category: 'connection' });
      expect(requestsFor(WEIGHTS)).toHaveLength(6);
      expect(await written()).toEqual(FILES.slice(0, 3));
    },
  );

  it('is not given up while more of the file comes each time', async () => {
    content = onnxFile(randomBytes(16 * 1024 * 1024));
    hub.files.set(WEIGHTS, content);
    hub.misbehave(WEIGHTS, ...Array.from({ length: 8 }, () => cutRestAfter(1_500_000)));
    await download();
    expect(requestsFor(WEIGHTS)).toHaveLength(9);
    expect((await weights()).equals(content)).toBe(true);
  });

  it('is not believed where it sends the page of a proxy, which no later start would find in the place of a file', async () => {
    const page: HubFault = (response) => void response.end('<html>Please log in</html>');
    hub.misbehave('tokenizer.json', page);
    await expect(download()).rejects.toThrow(
      'sent for tokenizer.json is no JSON; is it the page of a proxy?',
    );
    expect(await written()).toEqual(['config.json']);
    hub.misbehave(WEIGHTS, page);
    await expect(download()).rejects.toThrow(`sent for ${WEIGHTS} is a page of HTML`);
    expect(await written()).not.toContain(WEIGHTS);
    await download();
    expect((await weights()).equals(content)).toBe(true);
  });

  it('is not believed where it sends a page or a pointer for weights beside the graph', async () => {
    const [data, weights] = ['onnx/weights.bin', '2_Dense/model.safetensors'];
    hub.files.set('modules.json', Buffer.from(JSON.stringify([{ path: '' }, { path: '2_Dense' }])));
    hub.files.set(WEIGHTS, onnxFile(Buffer.from('graph'), ['weights.bin']));
    for (const name of [data, weights]) hub.files.set(name, Buffer.from(name));
    const page: HubFault = (response) => void response.end('\n<!DOCTYPE html><title>Sign in</title>');
    const pointer: HubFault = (response) =>
      void response.end('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90\n');
    for (const name of [weights, data]) {
      hub.misbehave(name, page, pointer);
      await expect(download()).rejects.toThrow(`sent for ${name} is a page of HTML`);
      await expect(download()).rejects.toThrow(`sent for ${name} is a pointer of Git LFS`);
      expect(await written()).not.toContain(name);
    }
    await download();
    expect(await written()).toEqual(expect.arrayContaining([data, weights]));
  });

  it('is asked for the rest of the commit that was begun, by a later start too', async () => {
    const [begun, newer] = ['b'.repeat(40), 'c'.repeat(40)];
    hub.misbehave('modules.json', answer(404, { 'x-repo-commit': begun }));
    hub.files.delete(WEIGHTS);
    await expect(download()).rejects.toThrow('in revision main');
    hub.misbehave('modules.json', answer(404, { 'x-repo-commit': newer }));
    hub.takeAsked();
    await expect(download()).rejects.toThrow(`in revision main at commit ${begun}, of which`);
    hub.files.set(WEIGHTS, content);
    await download();
    expect(new Set(hub.asked.map(({ file }) => file.split('/')[0]))).toEqual(new Set([begun]));
    expect(await written()).toContain(WEIGHTS);
  });

  it('is held to the checksum that it states', async () => {
    const other = onnxFile(Buffer.from('other'));
    const stating =
      (sent: Buffer): HubFault =>
      (response) =>
        void response.writeHead(200, { 'x-linked-etag': etagOf(content) }).end(sent);
    hub.misbehave(WEIGHTS, stating(other), stating(content));
    await expect(download()).rejects.toThrow(`sent for ${WEIGHTS} does not have the checksum`);
    expect(await written()).not.toContain(WEIGHTS);
    await download();
    expect((await weights()).equals(content)).toBe(true);
  });

  it('is asked for all files of one commit, though the branch moves on', async () => {
    const commit = 'c'.repeat(40);
    hub.misbehave('modules.json', answer(404, { 'x-repo-commit': commit }));
    await download();
    expect(hub.asked.map(({ file }) => file.split('/')[0])).toEqual([
      'main',
      ...new Array<string>(OPTIONAL.length + FILES.length + FURTHER.length - 1).fill(commit),
    ]);
  });

  it.each([
    ['config.json', 404, 'the hub has no config.json in revision main'],
    [WEIGHTS, 404, `the hub has no ${WEIGHTS} in revision main`],
    ['config.json', 401, /answered 401 for config.json: there is no such model, or HF_TOKEN/],
    ['config.json', 403, /answered 403 for config.json: there is no such model, or HF_TOKEN/],
    ['modules.json', 400, /^the hub answered 400 for modules.json$/],
  ])('that answers for %s with %i is told of', async (file, status, message) => {
    hub.misbehave(file, answer(status));
    await expect(download()).rejects.toThrow(message);
    expect(await written()).not.toContain(WEIGHTS);
  });
});

describe('a redirect', () => {
  it('is followed, without the token where it leads elsewhere', async () => {
    const store = await HubServer.start();
    store.files.set(WEIGHTS, content);
    hub.authorization = 'Bearer hub-secret';
    hub.misbehave('config.json', redirectTo('/a/b/resolve/main/moved.json'));
    hub.files.set('moved.json', Buffer.from('{}'));
    hub.misbehave(WEIGHTS, redirectTo(`${store.origin}/x/y/resolve/main/${WEIGHTS}?signature=1`));
    await download({ token: 'hub-secret' });
    expect(await readFile(join(root, 'a/b/config.json'), 'utf8')).toBe('{}');
    expect(new Set(hub.asked.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer hub-secret']),
    );
    expect(store.asked).toEqual([{ file: `main/${WEIGHTS}`, authorization: undefined, range: undefined }]);
    await store.close();
  });

  it('is asked for again where the file broke: its address is good for a while only', async () => {
    const store = await HubServer.start();
    store.files.set(WEIGHTS, content);
    const there = redirectTo(`${store.origin}/x/y/resolve/main/${WEIGHTS}`);
    hub.misbehave(WEIGHTS, there, there);
    store.misbehave(WEIGHTS, cutAfter(1_000_000));
    await download();
    expect(requestsFor(WEIGHTS)).toHaveLength(2);
    expect(store.asked.at(-1)?.range).toMatch(/^bytes=\d+-$/);
    expect((await weights()).equals(content)).toBe(true);
    await store.close();
  });

  it('is given up with its body, however long that is', async () => {
    const closed = Promise.withResolvers<void>();
    hub.misbehave('config.json', (response) => {
      response.once('close', closed.resolve);
      response.writeHead(302, { location: '/a/b/resolve/main/moved.json' }).write('this does not end');
    });
    hub.misbehave('moved.json', (response) => void closed.promise.then(() => response.end('{}')));
    await download();
    expect(await written()).toEqual(FILES.toSorted());
  });

  it('to itself has an end', async () => {
    const again = redirectTo('/a/b/resolve/main/config.json');
    hub.misbehave('config.json', ...Array.from({ length: 10 }, () => again));
    await expect(download()).rejects.toThrow('the hub redirects more than 5 times');
    expect(requestsFor('config.json')).toHaveLength(6);
  });

  it.each(['file:///etc/passwd', 'http://[', 'data:,x'])('to %s is refused', async (location) => {
    hub.misbehave('config.json', redirectTo(location));
    await expect(download()).rejects.toThrow('the hub redirects to no usable address');
  });

  it('from TLS to plain text is refused', async () => {
    const authority = new CertificateAuthority('Hub Test CA');
    const before = getCACertificates('default');
    const secure = await HubServer.start(createTlsServer(authority.issue('localhost')), 'localhost');
    setDefaultCACertificates([...before, authority.cert]);
    try {
      secure.files.set('config.json', Buffer.from('{}'));
      secure.misbehave('tokenizer.json', redirectTo(`${hub.origin}/a/b/resolve/main/tokenizer.json`));
      await expect(download({ hubUrl: `https://localhost:${secure.port}` })).rejects.toThrow(
        'the hub redirects to no usable address',
      );
      expect(hub.asked).toEqual([]);
      expect(secure.asked.at(-1)?.file).toBe('main/tokenizer.json');
    } finally {
      setDefaultCACertificates(before);
      await secure.close();
    }
  });
});

describe('a proxy that is between', () => {
  it('carries what is asked of a hub that only it can reach', async () => {
    const authority = new CertificateAuthority('Hub Test CA');
    const before = getCACertificates('default');
    const secure = await HubServer.start(createTlsServer(authority.issue('hub.example')));
    await using proxy = new ForwardProxy(() => ({ port: secure.port }));
    await proxy.listen();
    setDefaultCACertificates([...before, authority.cert]);
    try {
      for (const [name, file] of hub.files) secure.files.set(name, file);
      await download({ hubUrl: 'https://hub.example' }, { proxy: { url: proxy.origin } });
      expect(new Set(proxy.asked.map(({ to }) => to))).toEqual(new Set(['hub.example:443']));
      expect(await written()).toEqual(FILES.toSorted());
    } finally {
      setDefaultCACertificates(before);
      await secure.close();
    }
  });
});

describe('a download that is ended', () => {
  it.each<[string, HubFault]>([
    ['before the answer', () => undefined],
    [
      'within a file',
      (response, all) =>
        void response.writeHead(200, { 'content-length': all.length }).write(all.subarray(0, 1000)),
    ],
  ])('%s leaves nothing half', async (_, stall) => {
    const asked = Promise.withResolvers<void>();
    hub.misbehave(WEIGHTS, (response, all, request) => {
      stall(response, all, request);
      asked.resolve();
    });
    const abort = new AbortController();
    const { signal } = abort;
    const warn = jest.fn();
    const failure = expect(download({}, { signal, logger: { ...silentLogger, warn } })).rejects.toMatchObject(
      { category: 'cancelled' },
    );
    await asked.promise;
    abort.abort();
    await failure;
    expect(warn).not.toHaveBeenCalled();
    expect(await written()).toEqual(FILES.slice(0, 3));
    await waitFor(() => hub.sockets.size === 0, { what: 'no connection' });
  });
});
