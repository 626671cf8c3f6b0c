/** The cache of the hub, which FastEmbed has too: `models--OWNER--NAME`, with a folder for each revision in it. */
const CACHED = /(?:^|\/)models--([^/]+?)(?:\/snapshots\/[^/]+)?\/?$/;

/** `OWNER/NAME` of a folder in the cache of the hub, or of a snapshot there; undefined for any other folder. */
export function cachedRepository(path: string): string | undefined {
  return CACHED.exec(path)?.[1]?.replace('--', '/');
}
