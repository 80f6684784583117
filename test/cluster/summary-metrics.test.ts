import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../bridge/summaries/telemetry/names.ts';

test('rules and dashboards may ask for exactly the summary metrics that the bridge exports', () => {
  const file = new URL('../../cluster/check/data/metrics/own.yaml', import.meta.url);
  const { metrics, histograms } = parse(readFileSync(file, 'utf8')) as { metrics: string[]; histograms: string[] };
  const ours = [...metrics, ...histograms].filter((name) => /^(gen_ai_|porchlight_(summar|model_))/.test(name));
  expect(ours.sort()).toEqual(Object.values(METRICS).sort());
});
