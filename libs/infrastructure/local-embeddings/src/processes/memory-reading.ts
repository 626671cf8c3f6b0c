import { readFileSync } from 'node:fs';
import type { MemoryReading } from './process-protocol.ts';

/** What this process holds now. Where the system does not say what of it are pages of files, that is none. */
export function readMemory(): MemoryReading {
  return { rssBytes: process.memoryUsage.rss(), fileBytes: fileBytes() };
}

function fileBytes(): number {
  try {
    const kilobytes = /^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
