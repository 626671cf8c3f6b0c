import type { OutgoingResponse } from './outgoing-response.ts';

/**
 * Ends a response so that its reader sees it is not whole. Chunks without the last one show it by themselves; a body that
 * lasts until the connection closes, as HTTP/1.0 has it, looks whole unless the connection is reset.
 */
export function breakTransfer(response: OutgoingResponse): void {
  const { socket } = response;
  const isFramed = response.chunkedEncoding || response.hasHeader('content-length');
  // Over TLS a connection that closes without a goodbye is visible, and has no reset of its own.
  if (!isFramed && socket && !socket.destroyed && !('encrypted' in socket)) socket.resetAndDestroy();
  response.destroy();
}
