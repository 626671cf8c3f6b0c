import type { ReportedError } from './reported-error.ts';

/** `context length is 8192 tokens`, `context length (4096 tokens)`, `210000 tokens > 200000 maximum`, `should be [1, 30720]`. */
const LIMITS = [
  /context (?:length|window|limit|size)\D{0,24}(\d{3,8})/i,
  /> ?(\d{3,8}) maximum/i,
  /\[1, ?(\d{3,8})\]/,
];

/** How many tokens a host takes that found a request too long, where it says so. */
export function contextLimitIn(error: ReportedError | undefined): number | undefined {
  const message = error?.message.slice(0, 1_000) ?? '';
  const found = LIMITS.map((pattern) => pattern.exec(message)?.[1]).find((limit) => limit !== undefined);
  return found === undefined ? undefined : Number(found);
}
