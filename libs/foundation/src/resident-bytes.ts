/**
 * The memory of this process, in bytes. Undefined where it cannot be read: Linux has it in a file, and the process may
 * have reached its limit of open files.
 */
export function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined;
  }
}
