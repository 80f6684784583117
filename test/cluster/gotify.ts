import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type JsonMap, list, map, type Placed, text } from '../../cluster/check/manifest.ts';
import { alertmanagerConfig } from '../../cluster/check/monitoring.ts';

/** The shipped `payload` of a receiver. */
export function payloadOf(objects: readonly Placed[], receiver: string): JsonMap {
  const receivers = list(alertmanagerConfig(objects)?.config.receivers).map(map);
  const found = receivers.find(({ name }) => name === receiver);
  return map(map(list(found?.webhook_configs)[0]).payload);
}

/** Go's own template engine with Alertmanager's functions, out of amtool. */
function renderTemplate(template: string, data: JsonMap, folder: string): string {
  writeFileSync(join(folder, 'empty.tmpl'), '');
  writeFileSync(join(folder, 'data.json'), JSON.stringify(data));
  return execFileSync(
    'amtool',
    [
      'template',
      'render',
      `--template.glob=${join(folder, 'empty.tmpl')}`,
      `--template.data=${join(folder, 'data.json')}`,
      `--template.text=${template}`,
    ],
    { encoding: 'utf8' },
  );
}

/**
 * Alertmanager's own reading of what a template made (0.34, template.DeepCopyWithTemplate): YAML that is no string is sent
 * as what it is, everything else as the text.
 */
function asSent(rendered: string): unknown {
  try {
    const value: unknown = parse(rendered);
    return typeof value === 'string' ? rendered : value;
  } catch {
    return rendered;
  }
}

/** The body that Alertmanager 0.32 and newer posts, for versions that know no `payload` yet. */
export function renderPayload(payload: JsonMap, notification: JsonMap): Record<string, unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'porchlight-payload-'));
  try {
    return Object.fromEntries(
      Object.entries(payload).map(([key, value]) => [
        key,
        typeof value === 'string' ? asSent(renderTemplate(text(value), notification, folder)) : value,
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
