import { connect } from 'node:net';

/**
 * Sends one inline command on a connection of its own and resolves with the first of the response, trimmed.
 * @throws the socket's error, or one that says so when the connection ends without a response, as it does when the server
 * is killed in between.
 */
export function redisCommand(url: string, command: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection ended without an answer')));
    socket.once('data', (reply) => {
      socket.destroy();
      resolve(reply.toString().trim());
    });
    socket.write(`${command}\r\n`);
  });
}
