/**
 * What this process holds in memory, in bytes. None where that cannot be read: Linux has it in a file, and a process may have
 * all the files open that it may.
 */
export function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}
