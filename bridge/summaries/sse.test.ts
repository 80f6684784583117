import { expect, test } from 'vitest';
import { type EventSink, eventStream } from './sse.ts';

const open = (heartbeatMs = 60_000) => {
  let sink: EventSink | undefined;
  const state = { gone: 0 };
  const start = (given: EventSink) => {
    sink = given;
  };
  const stream = eventStream(start, { heartbeatMs, gone: () => state.gone++ });
  if (!sink) throw new Error('the stream did not start');
  return { sink, stream, state };
};
const progress = { phase: 'reading', done: 1, total: 3 } as const;

test('events have a name and one line of JSON', async () => {
  const { sink, stream } = open();
  sink.send('progress', progress);
  sink.send('text', { delta: 'two\nlines' });
  sink.close();
  sink.send('text', { delta: 'too late' });
  expect(await new Response(stream).text()).toBe(
    `: accepted\n\nevent: progress\ndata: ${JSON.stringify(progress)}\n\nevent: text\ndata: {"delta":"two\\nlines"}\n\n`,
  );
});

test('heartbeats come while nothing else does, and end with the reader', async () => {
  const { stream, state } = open(5);
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (text.split(': heartbeat\n\n').length < 4) text += decoder.decode((await reader.read()).value);
  await reader.cancel();
  expect(state.gone).toBe(1);
});

test('a reader that does not keep up misses what is provisional, never the end', async () => {
  const { sink, stream } = open();
  const delta = 'x'.repeat(10_000);
  for (let sent = 0; sent < 1000; sent++) sink.send('text', { delta });
  sink.send('error', { code: 'internal', message: 'failed' });
  sink.close();
  const text = await new Response(stream).text();
  expect(text.length).toBeLessThan(100_000);
  expect(text.endsWith('event: error\ndata: {"code":"internal","message":"failed"}\n\n')).toBe(true);
});
