/**
 * Preloaded (`node --import`) into processes that must not outlive the one that spawned them with an IPC channel: the
 * system closes the channel however the parent ends, SIGKILL included.
 */
if (process.channel) {
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
