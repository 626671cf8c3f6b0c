import { connect } from 'node:net';

/**
 * Sends one inline command on a connection of its own and resolves with the first of the answer, trimmed.
 * @throws the socket's error, or one that says so when the connection ends without an answer, as it does when the server
 * is killed in between.
 */
export function redisCommand(url: string, command: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection ended without an answer')));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(answer.toString().trim());
    });
    socket.write(`${command}\r\n`);
  });
}
