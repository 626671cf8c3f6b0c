import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Runs `work` and gives what this process grew by at its peak, in bytes. Linux keeps the peak and can forget it
 * (`clear_refs`, see proc(5)); where that is refused or unknown, what the process grew by in the end is all there is.
 */
export async function growthOf(work: () => Promise<unknown>): Promise<number> {
  const canReset = forgetPeak();
  const before = process.memoryUsage.rss();
  await work();
  const after = canReset ? peakBytes() : process.memoryUsage.rss();
  return Math.max(0, after - before);
}

function forgetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function peakBytes(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}
