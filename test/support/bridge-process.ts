import { fileURLToPath } from 'node:url';
import { BRIDGE_TOKEN, until } from './bridge.ts';
import { type Child, startChild } from './process.ts';

const main = fileURLToPath(new URL('../../bridge/main.ts', import.meta.url));
/** Bounds of the heap, the same as the image's. */
export const NODE_FLAGS = ['--max-old-space-size=384', '--max-semi-space-size=8'];

/** The bridge as it runs in production: a process of its own, which can be killed. Resolves when it is ready. */
export async function startBridgeProcess(port: number, data: string, env: Record<string, string>): Promise<Child> {
  const child = startChild(process.execPath, [...NODE_FLAGS, main, '--port', String(port), '--data', data], {
    BRIDGE_TOKENS: `ci:${BRIDGE_TOKEN}`,
    LOG_LEVEL: 'warn',
    ...env,
  });
  await until('the bridge is ready', async () => {
    if (child.process.exitCode !== null || child.process.signalCode !== null)
      throw new Error(`it ended:\n${child.output()}`);
    const response = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null);
    return response?.status === 200;
  });
  return child;
}
