import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { at, complain, type Finding, type JsonMap, kindOf, list, map, nameOf, type Placed, text } from './manifest.ts';
import { installed, repository, run, scratch } from './tools.ts';

const TESTS = join(repository, 'cluster/monitoring/rules/tests');

/** What a tool check found, or which package to install where the tool is missing. */
export interface ToolResult {
  readonly findings: Finding[];
  readonly summary: string;
}

const finding = (rule: string, file: string, object: string, field: string, message: string): Finding => ({
  rule,
  file,
  object,
  field,
  message: message.trim(),
});

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'monitoring-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ruleObjects = (objects: readonly Placed[]) => objects.filter((placed) => kindOf(placed) === 'PrometheusRule');
const alertsOf = (placed: Placed) =>
  list(at(placed.object, 'spec.groups')).flatMap((group) =>
    list(map(group).rules)
      .filter((rule) => map(rule).alert !== undefined)
      .map(map),
  );

/** Alerts that a test file proves to fire and to stay quiet, by the shape of their expectations. */
export function provenAlerts(tests: JsonMap): { fires: Set<string>; quiet: Set<string> } {
  const fires = new Set<string>();
  const quiet = new Set<string>();
  for (const test of list(tests.tests)) {
    for (const expectation of list(map(test).promql_expr_test)) {
      const alert = /alertname="([^"]+)",alertstate="firing"/.exec(text(map(expectation).expr))?.[1];
      if (alert !== undefined) (list(map(expectation).exp_samples).length > 0 ? fires : quiet).add(alert);
    }
  }
  return { fires, quiet };
}

/** Each alert says what to do, and has both its tests. */
export function alertFindings(objects: readonly Placed[], testsFolder: string = TESTS): Finding[] {
  const proven = readdirSync(testsFolder).map((name) =>
    provenAlerts(parse(readFileSync(join(testsFolder, name), 'utf8')) as JsonMap),
  );
  return ruleObjects(objects).flatMap((placed) =>
    alertsOf(placed).flatMap((rule) => {
      const name = text(rule.alert);
      const where = (field: string, message: string) => ({
        rule: 'alert-complete',
        ...complain(placed, `${name}.${field}`, message),
      });
      const constant = text(rule.expr).trim() === 'vector(1)';
      return [
        ...['summary', 'action']
          .filter((key) => at(rule, `annotations.${key}`) === undefined)
          .map((key) => where(`annotations.${key}`, 'is missing')),
        ...(['critical', 'warning', 'info', 'none'].includes(text(at(rule, 'labels.severity')))
          ? []
          : [where('labels.severity', 'is not critical, warning, info or none')]),
        ...(proven.some(({ fires }) => fires.has(name)) ? [] : [where('test', 'no test shows that it fires')]),
        ...(constant || proven.some(({ quiet }) => quiet.has(name))
          ? []
          : [where('test', 'no test shows that it stays quiet')]),
      ];
    }),
  );
}

/** promtool over the rules as rendered, and over their unit tests. */
export async function promtool(objects: readonly Placed[]): Promise<ToolResult> {
  const tool = installed('promtool');
  if (tool === undefined)
    return { findings: [], summary: 'promtool: SKIPPED, not installed (apt-get install prometheus)' };
  return inScratch(async (folder) => {
    const names = ruleObjects(objects).map((placed) => {
      writeFileSync(join(folder, `${nameOf(placed)}.yaml`), stringify({ groups: at(placed.object, 'spec.groups') }));
      return nameOf(placed);
    });
    const checked = await run(tool, ['check', 'rules', ...names.map((name) => join(folder, `${name}.yaml`))]);
    const findings =
      checked.code === 0
        ? []
        : [finding('promtool', 'cluster/monitoring/rules', 'PrometheusRule', 'spec.groups', checked.err)];
    const tests = readdirSync(TESTS).filter((name) => names.includes(name.replace(/\.yaml$/, '')));
    for (const name of tests) writeFileSync(join(folder, `test-${name}`), readFileSync(join(TESTS, name)));
    const ran = await run(tool, ['test', 'rules', ...tests.map((name) => join(folder, `test-${name}`))], {
      cwd: folder,
    });
    if (ran.code !== 0)
      findings.push(
        finding('promtool-test', 'cluster/monitoring/rules/tests', 'PrometheusRule', 'tests', ran.err + ran.out),
      );
    const count = tests.reduce(
      (sum, name) => sum + list(map(parse(readFileSync(join(TESTS, name), 'utf8')) as JsonMap).tests).length,
      0,
    );
    return { findings, summary: `promtool: ${names.length} rule files, ${count} alert tests` };
  });
}

/** Alertmanager's configuration out of the release that carries it. */
export function alertmanagerConfig(objects: readonly Placed[]): { placed: Placed; config: JsonMap } | undefined {
  const placed = objects.find(
    (item) => kindOf(item) === 'HelmRelease' && at(item.object, 'spec.values.alertmanager.config.route') !== undefined,
  );
  return placed === undefined
    ? undefined
    : { placed, config: map(at(placed.object, 'spec.values.alertmanager.config')) };
}

/** Debian's amtool (0.25) knows neither `payload` (0.32) nor `url_file` (0.26): replaced for it, not for the cluster. */
export function forOldAlertmanager(config: JsonMap): JsonMap {
  return JSON.parse(JSON.stringify(config), (key, value: unknown) => {
    if (key !== 'webhook_configs' || !Array.isArray(value)) return value;
    return value.map((item: JsonMap) => {
      const { payload: _, url_file: file, ...rest } = item;
      return file === undefined ? rest : { ...rest, url: 'http://127.0.0.1:9/' };
    });
  }) as JsonMap;
}

interface RoutingCase {
  readonly labels: Readonly<Record<string, string>>;
  readonly receiver: string;
}

/** amtool over the configuration, and over where each kind of alert must arrive. */
export async function amtool(objects: readonly Placed[]): Promise<ToolResult> {
  const tool = installed('amtool');
  const found = alertmanagerConfig(objects);
  if (found === undefined) return { findings: [], summary: 'amtool: no Alertmanager configuration here' };
  if (tool === undefined)
    return { findings: [], summary: 'amtool: SKIPPED, not installed (apt-get install prometheus-alertmanager)' };
  const cases = parse(readFileSync(new URL('data/routing.yaml', import.meta.url), 'utf8')) as RoutingCase[];
  return inScratch(async (folder) => {
    const file = join(folder, 'alertmanager.yaml');
    writeFileSync(file, stringify(forOldAlertmanager(found.config)));
    const checked = await run(tool, ['check-config', file]);
    if (checked.code !== 0) {
      return {
        findings: [
          { rule: 'amtool', ...complain(found.placed, 'spec.values.alertmanager.config', checked.out + checked.err) },
        ],
        summary: 'amtool: refused',
      };
    }
    const findings: Finding[] = [];
    for (const { labels, receiver } of cases) {
      const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const ran = await run(tool, [
        'config',
        'routes',
        'test',
        `--config.file=${file}`,
        `--verify.receivers=${receiver}`,
        ...pairs,
      ]);
      if (ran.code !== 0)
        findings.push({
          rule: 'amtool-routing',
          ...complain(
            found.placed,
            'spec.values.alertmanager.config.route',
            `{${pairs.join(', ')}} should reach ${receiver}: ${ran.out.trim()}`,
          ),
        });
    }
    return { findings, summary: `amtool: ${cases.length} routings` };
  });
}

/** The blackbox exporter's own word on its configuration, and every probe's module in it. */
export async function blackbox(objects: readonly Placed[]): Promise<ToolResult> {
  const placed = objects.find((item) => kindOf(item) === 'ConfigMap' && nameOf(item).startsWith('blackbox-config'));
  if (placed === undefined) return { findings: [], summary: 'blackbox: no configuration here' };
  const source = text(map(placed.object.data)['blackbox.yaml']);
  const modules = Object.keys(map(map(parse(source) as JsonMap).modules));
  const findings = objects
    .filter((item) => kindOf(item) === 'Probe' && !modules.includes(text(at(item.object, 'spec.module'))))
    .map((item) => ({
      rule: 'probe-module',
      ...complain(item, 'spec.module', `the exporter has no module "${text(at(item.object, 'spec.module'))}"`),
    }));
  const tool = installed('prometheus-blackbox-exporter', 'blackbox_exporter');
  if (tool === undefined)
    return { findings, summary: 'blackbox: SKIPPED, not installed (apt-get install prometheus-blackbox-exporter)' };
  return inScratch(async (folder) => {
    writeFileSync(join(folder, 'blackbox.yaml'), source);
    const ran = await run(tool, ['--config.check', `--config.file=${join(folder, 'blackbox.yaml')}`]);
    if (ran.code !== 0) findings.push({ rule: 'blackbox', ...complain(placed, 'data[blackbox.yaml]', ran.err) });
    return { findings, summary: `blackbox: ${modules.length} modules` };
  });
}

/** yamllint over every file of the folders, shellcheck over every script. */
export async function lint(folders: readonly string[] = ['cluster', '.github']): Promise<ToolResult[]> {
  const yamllint = installed('yamllint');
  const shellcheck = installed('shellcheck');
  const files = folders
    .flatMap((folder) =>
      readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((name) => !name.includes('.cache-'));
  const yaml = files.filter((name) => name.endsWith('.yaml'));
  const scripts = files.filter((name) => name.endsWith('.sh'));
  const check = async (
    tool: string | undefined,
    name: string,
    package_: string,
    args: readonly string[],
    count: number,
  ): Promise<ToolResult> => {
    if (tool === undefined)
      return { findings: [], summary: `${name}: SKIPPED, not installed (apt-get install ${package_})` };
    const ran = await run(tool, args);
    return {
      findings:
        ran.code === 0
          ? []
          : (ran.out + ran.err)
              .trim()
              .split('\n')
              .map((line) =>
                finding(name, line.split(':')[0] ?? '', 'file', line.split(':').slice(1, 3).join(':'), line),
              ),
      summary: `${name}: ${count} files`,
    };
  };
  return Promise.all([
    check(
      yamllint,
      'yamllint',
      'yamllint',
      ['--strict', '--format', 'parsable', '--config-file', 'cluster/check/data/yamllint.yaml', ...yaml],
      yaml.length,
    ),
    check(shellcheck, 'shellcheck', 'shellcheck', ['--format=gcc', ...scripts], scripts.length),
  ]);
}
