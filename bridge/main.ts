import { startBridge } from './bridge.ts';
import { readConfig } from './config.ts';
import { createLogger } from './log.ts';

const read = readConfig(process.argv.slice(2), process.env);
if (!read.ok) {
  console.error(`The bridge cannot start:\n${read.errors.map((error) => `- ${error}`).join('\n')}`);
  process.exit(2);
}
const { config } = read;
const log = createLogger(config.logLevel);

const bridge = await startBridge(config, log, {
  now: Date.now,
  random: Math.random,
  newId: () => crypto.randomUUID(),
  fetch: globalThis.fetch,
}).catch((error: Error) => {
  log.error({ error: error.message }, 'the bridge cannot start');
  process.exit(1);
});

let stopping = false;
const end = async (reason: string, code: number) => {
  if (stopping) return;
  stopping = true;
  log.info({ reason }, 'stopping');
  // Whatever hangs, the grace period is not exceeded: what is not delivered stays in the outbox.
  setTimeout(() => process.exit(code), config.graceSeconds * 1000).unref();
  await bridge.stop().catch((error: Error) => log.error({ error: error.message }, 'not everything could be closed'));
  log.info('stopped');
  process.exit(code);
};
process.on('SIGTERM', () => void end('SIGTERM', 0));
process.on('SIGINT', () => void end('SIGINT', 0));
void bridge.failed.then((error) => {
  log.error({ error: error.message }, 'the store is lost');
  void end('store lost', 1);
});
