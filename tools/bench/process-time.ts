import { readFile } from 'node:fs/promises';

/** What the kernel counts processor time in, on all usual platforms: `getconf CLK_TCK`. */
const TICKS_PER_SECOND = 100;
/** utime, stime, cutime and cstime of proc(5), counted from behind the name. */
const TIMES = [11, 15] as const;

/** Processor time of a process and of all that it started, in seconds; of those that have ended too. Linux only. */
export async function processorSeconds(pid: number): Promise<number> {
  const [stat, children] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'),
  ]);
  // The name may hold anything, brackets and spaces too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(...TIMES).reduce((sum, field) => sum + Number(field), 0);
  const below = children.split(' ').filter(Boolean).map(Number).map(processorSeconds);
  return (await Promise.all(below)).reduce((sum, seconds) => sum + seconds, ticks / TICKS_PER_SECOND);
}
