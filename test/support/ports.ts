import { createServer } from 'node:net';

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * The first of `count` consecutive ports that are free on 127.0.0.1, below the range from which systems hand out
 * ephemeral ports. Free now, not reserved: whoever binds them must be ready to try again.
 * @throws Error if 200 tries find none.
 */
export async function freePorts(count = 1, random: () => number = Math.random): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const first = 15_000 + Math.floor(random() * 16_000);
    let free = true;
    for (let i = 0; i < count && free; i += 1) free = await bindable(first + i);
    if (free) return first;
  }
  throw new Error(`found no ${count} consecutive free ports between 15000 and 31000`);
}
