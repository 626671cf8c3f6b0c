import { readFile } from 'node:fs/promises';

/** What the kernel counts processor time in, on all usual platforms: `getconf CLK_TCK`. */
const TICKS_PER_SECOND = 100;
/** utime, stime, cutime and cstime of proc(5), counted from behind the name. */
const TIMES = [11, 15] as const;

/** Processor time of a process and of all that it started, in seconds; of those that have ended too. Linux only. */
export async function processorSeconds(pid: number): Promise<number> {
  const [own, children] = await Promise.all([
    secondsIn(`/proc/${pid}/stat`),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'),
  ]);
  const below = children.split(' ').filter(Boolean).map(Number).map(processorSeconds);
  return (await Promise.all(below)).reduce((sum, seconds) => sum + seconds, own);
}

/** Processor time of the main thread of a process, which Node runs its event loop on, in seconds. Linux only. */
export function mainThreadSeconds(pid: number): Promise<number> {
  return secondsIn(`/proc/${pid}/task/${pid}/stat`);
}

async function secondsIn(statFile: string): Promise<number> {
  const stat = await readFile(statFile, 'utf8');
  // The name may hold anything, brackets and spaces too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(...TIMES).reduce((sum, field) => sum + Number(field), 0) / TICKS_PER_SECOND;
}

/** What something gives, and its processor time on this thread in milliseconds, which a busy machine changes little. */
export function timedOnThread<Result>(work: () => Result): { readonly result: Result; readonly ms: number } {
  const before = process.threadCpuUsage();
  const result = work();
  const { user, system } = process.threadCpuUsage(before);
  return { result, ms: (user + system) / 1_000 };
}
