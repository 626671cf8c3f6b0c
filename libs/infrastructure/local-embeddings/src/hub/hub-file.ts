import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { jsonOrNone, type Logger } from '@morgan/foundation';
import { HttpClientError } from '@morgan/http-client';
import type { HubResponse, ModelHub } from './model-hub.ts';
import { partOf } from './part-files.ts';
import { isPointer } from '../model/model-folder.ts';
import { ModelLoadError } from '../model/model-load-error.ts';

/** One file, and what it is got with. */
interface HubFileOptions {
  /** Its name in the model, for errors and logs. */
  readonly name: string;
  /** Where the hub has it, below the hub's URL. */
  readonly path: string;
  /** Where it goes. */
  readonly target: string;
  readonly hub: ModelHub;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const PROGRESS_LOG_INTERVAL_MS = 2_000;
/** Breaks in a row after which a file is given up, and what must have come on top of the rest to begin a new row. */
const MAX_BREAKS = 5;
const FAIR_SHARE_BYTES = 1024 * 1024;
/** How a page begins, and how much of a file is looked at. No file that is asked for is one. */
const PAGE = /^\s*<(!doctype html|html)/i;
const BEGINNING_BYTES = 256;

/** A file of a hub on its way to the disk. A connection that breaks in the middle is taken up where it broke. */
export class HubFile {
  readonly #options: HubFileOptions;
  #bytes = 0;
  #etag: string | undefined;
  #sha256: string | undefined;
  #loggedAt = performance.now();

  constructor(options: HubFileOptions) {
    this.#options = options;
  }

  /**
   * The file appears at its target only when it is whole.
   * @returns whether the hub has it.
   * @throws ModelLoadError, HttpClientError, an error of the file system.
   */
  async download(): Promise<boolean> {
    const begun = await this.#ask();
    if (!begun) return false;
    const { target } = this.#options;
    await makeFolder(dirname(target));
    // Other processes may fill the same folder.
    const part = partOf(target);
    try {
      await this.#receive(begun, part);
      await this.#check(part);
      await rename(part, target);
      return true;
    } finally {
      await rm(part, { force: true });
    }
  }

  async #receive(begun: HubResponse, part: string): Promise<void> {
    await using file = await open(part, 'a');
    let response: HubResponse | undefined = begun;
    let [breaks, most] = [0, 0];
    while (response) {
      try {
        await this.#append(response, file);
        // Or a power cut could leave an empty file under the name of a whole one.
        return await file.sync();
      } catch (error) {
        if (!(error instanceof HttpClientError) || !error.retryable) throw error;
        breaks = this.#bytes >= most + FAIR_SHARE_BYTES ? 1 : breaks + 1;
        if (breaks > MAX_BREAKS) throw error;
        most = Math.max(most, this.#bytes);
        const { name, logger } = this.#options;
        logger.warn(
          { file: name, loadedBytes: this.#bytes, error },
          'a download broke; it is taken up again',
        );
      }
      response = await this.#ask();
    }
    throw new ModelLoadError(`the hub has no ${this.#options.name} any more`);
  }

  /** A page in the place of a file would be found there at every start from now on. */
  async #check(part: string): Promise<void> {
    const { name } = this.#options;
    if (this.#sha256 !== undefined && this.#sha256 !== (await sha256Of(part)))
      throw new ModelLoadError(`what the hub sent for ${name} does not have the checksum that it states`);
    if (isPointer(part))
      throw new ModelLoadError(`what the hub sent for ${name} is a pointer of Git LFS, not the file`);
    if (name.endsWith('.json') && jsonOrNone(await readFile(part, 'utf8')) === undefined)
      throw new ModelLoadError(`what the hub sent for ${name} is no JSON; is it the page of a proxy?`);
    if (PAGE.test(await beginningOf(part)))
      throw new ModelLoadError(`what the hub sent for ${name} is a page of HTML; is it that of a proxy?`);
  }

  /** @returns nothing where the hub has no such file. */
  async #ask(): Promise<HubResponse | undefined> {
    const { name, path, hub, signal } = this.#options;
    const rest =
      this.#bytes > 0 && this.#etag ? ['range', `bytes=${this.#bytes}-`, 'if-range', this.#etag] : [];
    const response = await hub.get(path, rest, signal);
    const { status, headers, sha256 } = response;
    this.#sha256 = sha256;
    if (status === 200) return response;
    if (status === 206 && headers['content-range']?.startsWith(`bytes ${this.#bytes}-`)) return response;
    response.discard();
    if (status === 404) return undefined;
    throw new ModelLoadError(`the hub answered ${status} for ${name}${hintFor(status)}`);
  }

  async #append(response: HubResponse, file: FileHandle): Promise<void> {
    const { status } = response;
    // Mirrors may compress unasked; of such a response nobody could go on in the middle.
    const isCompressed = response.headers['content-encoding'] !== undefined;
    const { headers, body } = response.decoded(() => this.#notDecodable());
    if (status === 200) {
      await file.truncate();
      this.#bytes = 0;
      this.#etag = isCompressed ? undefined : strong(headers.etag);
    }
    const totalBytes = this.#bytes + Number(headers['content-length']);
    for await (const chunk of body as AsyncIterable<Buffer>) {
      await file.appendFile(chunk);
      this.#bytes += chunk.length;
      this.#reportProgress(totalBytes);
    }
  }

  #notDecodable(): ModelLoadError {
    const { name } = this.#options;
    return new ModelLoadError(`what the hub sent for ${name} is not compressed as its content-encoding says`);
  }

  #reportProgress(totalBytes: number): void {
    const now = performance.now();
    if (this.#bytes !== totalBytes && now - this.#loggedAt < PROGRESS_LOG_INTERVAL_MS) return;
    this.#loggedAt = now;
    const { name, logger } = this.#options;
    const fields = { file: name, loadedBytes: this.#bytes, ...(totalBytes && { totalBytes }) };
    logger.info(fields, 'downloading the embedding model');
  }
}

/**
 * With its parents. Node's own way loses the reason: it says that there is no such folder where the file system is read-only, and
 * tries for ever where one cannot have folders.
 */
async function makeFolder(path: string): Promise<void> {
  const made = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  };
  await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') return made(error);
    await makeFolder(dirname(path));
    await mkdir(path).catch(made);
  });
}

async function beginningOf(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
  return buffer.toString('latin1', 0, bytesRead);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Only a strong one says that two responses are the same byte for byte. */
function strong(etag: string | undefined): string | undefined {
  return etag?.startsWith('"') ? etag : undefined;
}

function hintFor(status: number): string {
  if (status !== 401 && status !== 403) return '';
  return ': there is no such model, or HF_TOKEN does not give access to it';
}
