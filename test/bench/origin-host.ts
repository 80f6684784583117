import { Origin } from '../support/origin.ts';
import { SMALL, SMALL_BYTES } from './pages.ts';

/**
 * `node origin-host.ts PORT BYTES`: every path is a page of that size, those below `/small/` a small one, fresh for an hour. In a process of its own, so
 * that neither the load generator nor the report shares a thread with it. `/__count` tells how many pages were asked for.
 */
const [port = '0', bytes = '12000'] = process.argv.slice(2);
const origin = await Origin.start(Number(port));
const page = (length: number) => Buffer.from('<!doctype html><title>A page</title>'.padEnd(length, 'x'));
const whole = page(Number(bytes));
const small = page(SMALL_BYTES);
let count = 0;
origin.handle('/__count', (_req, res) => void res.end(String(count)));
origin.handle('*', (req, res) => {
  count += 1;
  const body = req.url?.startsWith(SMALL) ? small : whole;
  origin.forget();
  res.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'public, max-age=3600',
    ETag: '"page-1"',
    'Content-Length': String(body.length),
  });
  res.end(body);
});
