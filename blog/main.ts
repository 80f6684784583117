import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createBlog, type LogEvent } from './blog.ts';
import { readConfig } from './config.ts';

const log = (event: LogEvent) => console.log(JSON.stringify({ time: new Date().toISOString(), ...event }));

const result = readConfig({
  argv: process.argv.slice(2),
  env: process.env,
  defaultContentDir: fileURLToPath(new URL('content', import.meta.url)),
  isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
});
if (!result.ok) {
  console.error(`The blog cannot start:\n${result.errors.map((error) => `  ${error}`).join('\n')}`);
  process.exit(1);
}
const { config } = result;
const blog = createBlog({ ...config, log, runtimeMetrics: true });
const server = await blog.listen(config.port, config.host).catch((error: Error) => {
  console.error(`The blog cannot start:\n  ${error.message}`);
  process.exit(1);
});
log({ level: 'info', event: 'listening', detail: `http://localhost:${server.port}/ serving ${config.contentDir}` });

let stopping = false;
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping) process.exit(1);
  stopping = true;
  log({ level: 'info', event: 'stopping', detail: signal });
  blog.drain();
  // Load balancers need a moment to see /ready say no; at a terminal nobody is waiting.
  if (signal === 'SIGTERM') await wait(config.drainMs);
  await server.close();
  process.exit(0);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
