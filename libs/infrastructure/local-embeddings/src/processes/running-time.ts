const PARTS = 10;

/**
 * Calls `late` after so much time in which this process was running. Of a time in which it stood still, because its container was
 * frozen or its event loop was busy, a tenth of `ms` counts at most: what it waits for may have stood still, too. What has come
 * meanwhile is read first.
 * @param ms milliseconds
 * @returns ends it: `late` is not called any more
 */
export function afterRunning(ms: number, late: () => void): () => void {
  let parts = 0;
  let isOver = false;
  const timer = setInterval(() => {
    parts += 1;
    if (parts < PARTS) return;
    clearInterval(timer);
    setImmediate(() => isOver || late());
  }, ms / PARTS);
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
