import { beforeAll, describe, expect, test } from 'vitest';
import type { JsonMap, Placed } from '../../cluster/check/manifest.ts';
import { renderEnvironment } from '../../cluster/check/render.ts';
import { installed } from '../../cluster/check/tools.ts';
import { payloadOf, renderPayload } from './gotify.ts';

const ready = installed('amtool') !== undefined;
if (!ready) console.log('payload tests do not run: apt-get install prometheus-alertmanager');

const notification = (status: string, summaries: readonly string[]): JsonMap => ({
  receiver: 'phone',
  status,
  alerts: summaries.map((summary) => ({
    status,
    labels: { alertname: 'SiteDown', severity: 'critical' },
    annotations: { summary, action: 'Look: "here"' },
    startsAt: '2026-11-21T00:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
  })),
  groupLabels: { alertname: 'SiteDown' },
  commonLabels: { alertname: 'SiteDown', severity: 'critical' },
  commonAnnotations: {},
  externalURL: 'http://alertmanager',
});

const NASTY = [
  'plain words',
  'a "quoted" and a \\ backslash',
  'key: value',
  '- looks like a list',
  '{"message": "json"}',
  '[1, 2]',
  'true',
  '42',
  'null',
  '# a comment',
  'words # with a comment',
  '--- a document',
  '*alias &anchor !tag',
  "it's %d <b>html</b> & {{ .Template }}",
  'line one\nline: two\n\tand a tab',
  'ünïcode \u2028 ☂ \u0007',
  '',
];

describe.runIf(ready)('what Gotify is sent', () => {
  let objects: readonly Placed[];
  beforeAll(async () => {
    objects = (await renderEnvironment('prod')).objects;
  });

  test.each(NASTY)('stays text and valid JSON, whatever the alert says: %j', (summary) => {
    for (const receiver of ['phone', 'hourly']) {
      for (const status of ['firing', 'resolved']) {
        const body = renderPayload(payloadOf(objects, receiver), notification(status, [summary, summary]));
        const sent = JSON.parse(JSON.stringify(body)) as Record<string, unknown>;
        expect([receiver, status, typeof sent.title, typeof sent.message, typeof sent.priority]).toEqual([
          receiver,
          status,
          'string',
          'string',
          'number',
        ]);
        expect(sent.message).toContain(summary);
      }
    }
  });

  test('says what happened and what to do, and when it is over', () => {
    const payload = payloadOf(objects, 'phone');
    expect(renderPayload(payload, notification('firing', ['It is down']))).toEqual({
      title: 'SiteDown',
      message: '1 firing, 0 resolved\nIt is down\nLook: "here"',
      priority: 8,
    });
    expect(renderPayload(payload, notification('resolved', ['It is down'])).title).toBe('SiteDown resolved');
    expect(renderPayload(payloadOf(objects, 'hourly'), notification('firing', ['a', 'b']))).toEqual({
      title: '2 warnings in the last hour',
      message: '2 in all\n- a\n- b',
      priority: 3,
    });
  });

  test('a template that begins with data would lose its text', () => {
    const naive = {
      title: 'Resolved: {{ .CommonLabels.alertname }}',
      message: '{{ range .Alerts }}- {{ .Status }}\n{{ end }}',
    };
    expect(renderPayload(naive, notification('firing', ['a', 'b']))).toEqual({
      title: { Resolved: 'SiteDown' },
      message: ['firing', 'firing'],
    });
  });
});
