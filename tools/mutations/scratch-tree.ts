import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The part of Jest's JSON report that is read. */
interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
}

/** A copy of the working tree in which files may be changed and tests run. It is gone when it is disposed of. */
export class ScratchTree implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async of(root: string): Promise<ScratchTree> {
    const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
    const { stdout } = await promisify(execFile)('git', list, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'morgan-mutations-'));
    const files = stdout.split('\n').filter((file) => file !== '' && !/^(docs|k8s|docker)\//.test(file));
    for (const file of files) await cp(join(root, file), join(folder, file), { force: false });
    await symlink(await realpath(join(root, 'node_modules')), join(folder, 'node_modules'));
    return new ScratchTree(folder);
  }

  /** Does something while a file ends with these lines more. */
  async with<Result>(file: string, lines: string, work: () => Promise<Result>): Promise<Result> {
    const path = join(this.#folder, file);
    const source = await readFile(path, 'utf8');
    await writeFile(path, `${source}\n${lines}`);
    try {
      return await work();
    } finally {
      await writeFile(path, source);
    }
  }

  /** Runs the tests of these rows. @returns how many failed. @throws Error where none of them ran. */
  async failures(spec: string, rows: readonly { readonly row: string }[]): Promise<number> {
    const report = join(this.#folder, 'report.json');
    await rm(report, { force: true });
    const names = `^(${[...new Set(rows.map(({ row }) => row))].join('|')}) `;
    const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', spec, '-t', names];
    const child = spawn(process.execPath, [...jest, '--json', `--outputFile=${report}`], {
      cwd: this.#folder,
      stdio: 'ignore',
    });
    await once(child, 'exit');
    const text = await readFile(report, 'utf8').catch(() => '{}');
    const { numPassedTests = 0, numFailedTests = 0 } = JSON.parse(text) as Partial<JestReport>;
    if (numPassedTests + numFailedTests === 0) throw new Error(`no test of ${spec} ran`);
    return numFailedTests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
