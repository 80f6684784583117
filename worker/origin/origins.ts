import type { EdgeConfig, EdgeEnv } from '../config.ts';
import { isAliveAnswer } from '../policy/impostor.ts';
import type { Sighting } from '../policy/uptime.ts';
import { messageOf, type Report } from '../report.ts';
import { Origin, type OriginTiming } from './origin.ts';
import { httpTransport, type Transport, vpcTransport } from './transport.ts';

const BREAKER = { threshold: 4, windowMs: 10_000, baseMs: 1_000, maxMs: 15_000, probeTimeoutMs: 10_000 };

export interface OriginsDeps {
  readonly clock: () => number;
  readonly report: Report;
  readonly note: (sighting: Sighting) => void;
}

/** Every upstream of the site by its name: over its Workers VPC binding where bound, else over HTTP. */
export function originsOf(
  env: Pick<EdgeEnv, 'BLOG_VPC' | 'BRIDGE_VPC'>,
  config: EdgeConfig,
  { clock, report, note }: OriginsDeps,
): ReadonlyMap<string, Origin> {
  const timing: OriginTiming = { firstByteMs: config.firstByteMs, breaker: BREAKER };
  const send = (input: string, init: RequestInit): Promise<Response> => fetch(input, init);
  const isAlive = (response: Response): boolean => isAliveAnswer(response.status, [...response.headers]);
  const origins = new Map<string, Origin>();
  for (const [name, upstream] of Object.entries(config.site.upstreams)) {
    const service = name === 'blog' ? env.BLOG_VPC : name === 'bridge' ? env.BRIDGE_VPC : undefined;
    const transport: Transport =
      service === undefined
        ? httpTransport(upstream, config.access, send)
        : vpcTransport(upstream, { fetch: (input, init) => service.fetch(input, init) });
    const onFailure = (failure: string, error: unknown): void =>
      report('origin-failed', { upstream: name, failure, error: messageOf(error) });
    const onOutcome = (isUp: boolean, ms: number, said: string): void =>
      note({ upstream: name, at: clock(), up: isUp ? 1 : 0, down: isUp ? 0 : 1, ms: isUp ? ms : 0, said });
    origins.set(name, new Origin(transport, timing, { clock, random: Math.random, onFailure, isAlive, onOutcome }));
  }
  return origins;
}
