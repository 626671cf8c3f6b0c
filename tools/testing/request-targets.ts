import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** The ways to write a request target that some router, proxy or file system takes for the same path. */
export function spellingsOf(path: string): readonly string[] {
  const encode = (part: string) =>
    [...part].map((letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
  const everyLetter = path.replace(/[^/]+/g, encode);
  return [
    path,
    path.replace(/[^/]/, encode),
    everyLetter,
    everyLetter.toUpperCase(),
    everyLetter.replaceAll('%', '%25'),
    path.replace(/(\d)/, encode),
    `/${path}`,
    path.replaceAll('/', '//'),
    path.replaceAll('/', '%2f'),
    path.replaceAll('/', '\\'),
    `${path}/`,
    `${path}//`,
    `${path}%20`,
    `${path}%00`,
    `${path};x=1`,
    `${path}?x=/livez`,
    `${path}#/livez`,
    `${path}/.`,
    `/.${path}`,
    `/livez/..${path}`,
    `/livez;${path}`,
    `/livez%2f..${path}`,
    `/docs/../${path}`,
    path.toUpperCase(),
    `http://x${path}`,
    `HTTPS://x:1${path}`,
    `http://x/${path}`,
    `http://x@y${everyLetter}`,
    path.slice(1),
    `*${path.slice(1)}`,
  ];
}

/** As many requests as one connection may send ahead. */
const SENT_AHEAD = 15;

/** Sends a request for each target. @returns the status of each, as they came. */
export async function statusesOf(
  port: number,
  method: string,
  targets: readonly string[],
  headers: string,
): Promise<readonly number[]> {
  // What is not even a request target ends its connection; the others can share one.
  const proper = targets.filter(isProper);
  const batches = [...targets.filter((target) => !isProper(target)).map((target) => [target])];
  while (proper.length > 0) batches.push(proper.splice(0, SENT_AHEAD));
  const statuses = new Map<string, number | undefined>();
  for (const batch of batches) {
    const responded = await send(port, method, batch, headers);
    batch.forEach((target, index) => statuses.set(target, responded[index]));
  }
  return targets.map((target) => statuses.get(target) ?? 0);
}

function isProper(target: string): boolean {
  return /^(?:\/|https?:)[^\\]*$/i.test(target);
}

async function send(
  port: number,
  method: string,
  targets: readonly string[],
  headers: string,
): Promise<number[]> {
  const socket = connect(port, '127.0.0.1');
  const requests = targets.map((target) => `${method} ${target} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
  socket.write(`${requests.join('')}GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  const heads = (await text(socket)).matchAll(/HTTP\/1\.1 (\d+) /gm);
  return Array.from(heads, ([, status]) => Number(status)).slice(0, targets.length);
}
