import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { at, type JsonMap, kindOf, list, map, nameOf, type Placed, text } from '../../cluster/check/manifest.ts';
import { alertmanagerConfig, forOldAlertmanager } from '../../cluster/check/monitoring.ts';
import { payloadOf, renderPayload } from './gotify.ts';

/** Turns the shipped objects into plain configuration files, with an accelerated clock and loopback addresses. */

/** How much faster than in the cluster: 2 minutes become 4 seconds. Never below a second. */
const FASTER = 30;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };

/** A Prometheus duration (`2m`, `1h`) on the accelerated clock. */
export function faster(duration: string): string {
  const match = /^(\d+)(s|m|h|d)$/.exec(duration);
  if (match === null) throw new Error(`"${duration}" is not a simple duration`);
  return `${Math.max(1, Math.round((Number(match[1]) * (SECONDS[match[2] ?? ''] ?? 1)) / FASTER))}s`;
}

const TIMES = ['for', 'interval', 'group_wait', 'group_interval', 'repeat_interval', 'scrape_interval'];

/** Every duration field of a configuration on the accelerated clock; ranges inside expressions stay. */
function accelerate(value: JsonMap): JsonMap {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) => {
    if (!TIMES.includes(key) || typeof inner !== 'string' || inner === '0s') return inner;
    return faster(inner);
  }) as JsonMap;
}

export interface Ports {
  readonly prometheus: number;
  readonly alertmanager: number;
  readonly blackbox: number;
  readonly receiver: number;
}

/** Where a Service of the cluster, or a host of the world, is on loopback: `127.0.0.1:port` or a URL. */
export type Addresses = Readonly<Record<string, string>>;

function scrapeJobs(objects: readonly Placed[], ports: Ports, where: Addresses): JsonMap[] {
  const monitors = objects
    .filter((placed) => kindOf(placed) === 'ServiceMonitor' && where[nameOf(placed)] !== undefined)
    .map((placed) => {
      const endpoint = map(list(at(placed.object, 'spec.endpoints'))[0]);
      return {
        job_name: nameOf(placed),
        metrics_path: text(endpoint.path) || '/metrics',
        scrape_interval: faster(text(endpoint.interval)),
        scrape_timeout: '1s',
        static_configs: [{ targets: [where[nameOf(placed)] ?? ''], labels: { namespace: 'web' } }],
      };
    });
  const probes = objects
    .filter((placed) => kindOf(placed) === 'Probe')
    .map((placed) => ({
      job_name: text(at(placed.object, 'spec.jobName')),
      metrics_path: '/probe',
      params: { module: [text(at(placed.object, 'spec.module'))] },
      scrape_interval: faster(text(at(placed.object, 'spec.interval'))),
      scrape_timeout: '1s',
      static_configs: [
        {
          targets: list(at(placed.object, 'spec.targets.staticConfig.static')).map(
            (url) => where[text(url)] ?? text(url),
          ),
        },
      ],
      relabel_configs: [
        { source_labels: ['__address__'], target_label: '__param_target' },
        { source_labels: ['__param_target'], target_label: 'instance' },
        { target_label: '__address__', replacement: `127.0.0.1:${ports.blackbox}` },
      ],
    }));
  return [...monitors, ...probes];
}

/** Writes prometheus.yaml, rules, alertmanager.yaml and blackbox.yaml into the folder. */
export function writeStack(folder: string, objects: readonly Placed[], ports: Ports, where: Addresses): void {
  mkdirSync(join(folder, 'rules'), { recursive: true });
  for (const rule of objects.filter((placed) => kindOf(placed) === 'PrometheusRule')) {
    writeFileSync(
      join(folder, 'rules', `${nameOf(rule)}.yaml`),
      stringify(accelerate({ groups: at(rule.object, 'spec.groups') ?? [] })),
    );
  }
  const prometheus = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(folder, 'rules/*.yaml')],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${ports.alertmanager}`] }] }] },
    scrape_configs: scrapeJobs(objects, ports, where),
  };
  writeFileSync(join(folder, 'prometheus.yaml'), stringify(prometheus));
  const config = alertmanagerConfig(objects)?.config ?? {};
  writeFileSync(join(folder, 'token'), 'example-application-token');
  const local = stringify(accelerate(forOldAlertmanager(config)))
    .replaceAll('http://gotify.monitoring.svc:8080', `http://127.0.0.1:${ports.receiver}`)
    .replaceAll('http://127.0.0.1:9/', `http://127.0.0.1:${ports.receiver}/dead-man`)
    .replaceAll('/etc/alertmanager/secrets/gotify/token', join(folder, 'token'));
  writeFileSync(join(folder, 'alertmanager.yaml'), local);
  const blackbox = objects.find(
    (placed) => kindOf(placed) === 'ConfigMap' && nameOf(placed).startsWith('blackbox-config'),
  );
  writeFileSync(
    join(folder, 'blackbox.yaml'),
    text(map(blackbox?.object.data)['blackbox.yaml']).replaceAll('timeout: 10s', 'timeout: 1s'),
  );
}

export interface Message {
  readonly title: string;
  readonly message: string;
  readonly priority: number;
}

/** Debian's Alertmanager posts its own format: the shipped `payload` is applied here, as a newer one does. */
function asGotify(body: JsonMap, objects: readonly Placed[]): Message {
  if (body.receiver === undefined) return body as unknown as Message;
  return renderPayload(payloadOf(objects, text(body.receiver)), body) as unknown as Message;
}

/** Speaks Gotify's `POST /message`: an application token, a message; 401 and 400 as Gotify does. */
export async function startReceiver(objects: readonly Placed[]): Promise<{
  server: Server;
  port: number;
  messages: Message[];
  refused: number[];
  deadMan(): number;
}> {
  const messages: Message[] = [];
  const refused: number[] = [];
  let calls = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const end = (status: number, body: object): void => {
        if (status !== 200) refused.push(status);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (request.url === '/dead-man') {
        calls++;
        return end(200, {});
      }
      if (request.method !== 'POST' || request.url !== '/message') return end(404, { error: 'Not Found' });
      if (request.headers.authorization !== 'Bearer example-application-token')
        return end(401, { error: 'Unauthorized' });
      const message = asGotify(JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonMap, objects);
      if (typeof message.message !== 'string' || message.message === '' || typeof message.title !== 'string')
        return end(400, { error: 'Bad Request' });
      messages.push(message);
      end(200, { id: messages.length, ...message });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port, messages, refused, deadMan: () => calls };
}
