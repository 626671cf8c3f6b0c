import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Resident memory of a process and of those that it started, in bytes, as `ps` counts it: a page that two of them share
 * counts twice.
 */
export async function residentBytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,rss=']);
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([id = 0, parent = 0, kib = 0]) => ({ id, parent, bytes: kib * 1024 }));
  const bytesBelow = (id: number): number =>
    processes
      .filter(({ parent }) => parent === id)
      .reduce((total, child) => total + child.bytes + bytesBelow(child.id), 0);
  const own = processes.find(({ id }) => id === pid);
  if (!own) throw new Error(`process ${pid} is gone`);
  return own.bytes + bytesBelow(pid);
}
