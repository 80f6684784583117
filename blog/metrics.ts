import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Catalogue } from './posts/catalogue.ts';

export interface Metrics {
  /** One answered request; `route` is the template, never the path, so that the series stay few. `seconds` elapsed. */
  observe(request: { method: string; route: string; status: number }, seconds: number): void;
  /** What the content store last published; problems include an unreadable directory. */
  content(catalogue: Catalogue | undefined, problems: number): void;
  readonly contentType: string;
  render(): Promise<string>;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** `runtime` adds Node's own figures (memory, event loop), which are those of the whole process. */
export function createMetrics(runtime: boolean): Metrics {
  const registry = new Registry();
  if (runtime) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const labelNames = ['method', 'route', 'status'] as const;
  const requests = new Counter({ name: 'http_requests_total', help: 'Requests answered.', labelNames, registers });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to response.',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const posts = new Gauge({ name: 'blog_posts', help: 'Posts published.', registers });
  const problems = new Gauge({ name: 'blog_content_problems', help: 'Problems in the content directory.', registers });
  return {
    observe({ method, route, status }, seconds) {
      const labels = { method: METHODS.has(method) ? method : 'OTHER', route, status: String(status) };
      requests.inc(labels);
      durations.observe(labels, seconds);
    },
    content(catalogue, count) {
      posts.set(catalogue?.posts.length ?? 0);
      problems.set(count);
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
