import { readdirSync, readFileSync } from 'node:fs';
import { parser as logql } from '@grafana/lezer-logql';
import { parser as promql } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { at, complain, type Finding, type JsonMap, kindOf, list, map, type Placed, text } from './manifest.ts';

interface Query {
  readonly placed: Placed;
  readonly field: string;
  readonly language: 'promql' | 'logql';
  readonly expression: string;
}

interface MetricFile {
  readonly source: string;
  readonly metrics: readonly string[];
  /** Histograms, by base name: `_bucket`, `_sum` and `_count` follow. */
  readonly histograms?: readonly string[];
}

/** Every metric that a named exporter, or our own `/metrics`, exposes. */
export function knownMetrics(folder: URL = new URL('data/metrics/', import.meta.url)): Set<string> {
  return new Set(
    readdirSync(folder).flatMap((name) => {
      const file = parse(readFileSync(new URL(name, folder), 'utf8')) as MetricFile;
      return [
        ...file.metrics,
        ...(file.histograms ?? []).flatMap((base) => [`${base}_bucket`, `${base}_sum`, `${base}_count`]),
      ];
    }),
  );
}

/** A grammar's first error as a position, or undefined; and the names of one node type. */
function parseNames(
  language: Query['language'],
  expression: string,
  node: string,
): { error: number | undefined; names: string[] } {
  let error: number | undefined;
  const names: string[] = [];
  (language === 'promql' ? promql : logql).parse(expression).iterate({
    enter: (found) => {
      if (found.type.isError) error ??= found.from;
      if (found.name === node) names.push(expression.slice(found.from, found.to));
    },
  });
  return { error, names };
}

function queriesOf(placed: Placed): Query[] {
  if (kindOf(placed) === 'PrometheusRule') {
    return list(at(placed.object, 'spec.groups')).flatMap((group, g) =>
      list(map(group).rules).map((rule, r) => ({
        placed,
        field: `spec.groups[${g}].rules[${r}].expr`,
        language: 'promql' as const,
        expression: text(map(rule).expr),
      })),
    );
  }
  if (map(at(placed.object, 'metadata.labels')).grafana_dashboard !== '1') return [];
  return Object.entries(map(placed.object.data)).flatMap(([file, json]) =>
    list((JSON.parse(text(json)) as JsonMap).panels).flatMap((panel, p) =>
      list(map(panel).targets).map((target, t) => ({
        placed,
        field: `data[${file}].panels[${p}].targets[${t}].expr`,
        language: at(target, 'datasource.type') === 'loki' ? ('logql' as const) : ('promql' as const),
        expression: text(map(target).expr),
      })),
    ),
  );
}

function checkQuery(query: Query, known: ReadonlySet<string>): Finding[] {
  const { error, names } = parseNames(query.language, query.expression, 'Identifier');
  if (error !== undefined || query.expression.trim() === '') {
    return [
      {
        rule: 'query-parses',
        ...complain(query.placed, query.field, `does not parse at character ${error ?? 0}: ${query.expression}`),
      },
    ];
  }
  if (query.language === 'logql') return [];
  return [...new Set(names)]
    .filter((name) => !known.has(name))
    .map((name) => ({
      rule: 'metric-known',
      ...complain(query.placed, query.field, `no exporter of check/data/metrics exposes "${name}"`),
    }));
}

/** Every expression in rules and dashboards parses and asks for metrics that exist. */
export function queryFindings(objects: readonly Placed[], known: ReadonlySet<string>): Finding[] {
  return objects.flatMap((placed) => {
    try {
      return queriesOf(placed).flatMap((query) => checkQuery(query, known));
    } catch (error) {
      return [
        {
          rule: 'dashboard-json',
          ...complain(placed, 'data', `is not JSON: ${error instanceof Error ? error.message : String(error)}`),
        },
      ];
    }
  });
}

export const countQueries = (objects: readonly Placed[]): number => objects.flatMap(queriesOf).length;
