import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { quantile } from './stats.ts';

/**
 * `node load-client.ts PORT CONNECTIONS SECONDS PATHFILE`: what wrk does, where there is no wrk. Closed loop over
 * keep-alive connections; prints the same line.
 */
const [port = '', connections = '', seconds = '', file = ''] = process.argv.slice(2);
const paths = readFileSync(file, 'utf8').trim().split('\n');
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const micros: number[] = [];
let errors = 0;
let at = 0;

function once(): Promise<void> {
  return new Promise((resolve) => {
    const start = performance.now();
    const path = paths[at++ % paths.length] ?? '/';
    const failed = () => {
      errors += 1;
      resolve();
    };
    const req = request({ host: '127.0.0.1', port, path, agent }, (res) => {
      res.resume();
      res.on('end', () => {
        if ((res.statusCode ?? 500) > 399) errors += 1;
        micros.push((performance.now() - start) * 1000);
        resolve();
      });
      res.on('error', failed);
    });
    req.on('error', failed);
    req.end();
  });
}

const start = performance.now();
const end = start + Number(seconds) * 1000;
await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    while (performance.now() < end) await once();
  }),
);
agent.destroy();
const result = {
  requests: micros.length,
  micros: Math.round((performance.now() - start) * 1000),
  p50: Math.round(quantile(micros, 0.5)),
  p99: Math.round(quantile(micros, 0.99)),
  errors,
};
console.log(`RESULT ${JSON.stringify(result)}`);
