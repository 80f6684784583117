import type { Engine } from '../types.ts';
import type { SummaryMetrics } from './metrics.ts';

/** The same engine, with every generation counted. */
export function measured(
  engine: Engine,
  name: string,
  metrics: Pick<SummaryMetrics, 'generated'>,
  now: () => number,
): Engine {
  return {
    model: (signal) => engine.model(signal),
    generate: async (request, signal) => {
      const startedAt = now();
      const result = await engine.generate(request, signal);
      metrics.generated(name, result, now() - startedAt);
      return result;
    },
  };
}
