import { expect, test } from 'vitest';
import { sleep } from '../support/program.ts';
import { ask, home } from './support.ts';

/** Branches few requests take. */
const at = home({ colos: 2 });

test('a part that breaks off on its way is asked for as a whole', async () => {
  const whole = 'x'.repeat(5_000);
  at.origin.handle('/video', (req, res) => {
    if (req.headers.range === undefined) return void res.writeHead(200, { 'Cache-Control': 'max-age=60' }).end(whole);
    res.writeHead(206, {
      'Content-Range': 'bytes 0-999/5000',
      'Content-Length': '1000',
      'Cache-Control': 'max-age=60',
    });
    res.write('x'.repeat(100), () => res.socket?.resetAndDestroy());
  });
  const answer = await ask(at.edge, '/video', { headers: { Range: 'bytes=0-999' } });
  expect([answer.status, answer.headers['content-range'], answer.text.length]).toEqual([
    206,
    'bytes 0-999/5000',
    1_000,
  ]);
});

test('the age of what another data centre validated is not forgotten', async () => {
  const fields = { ETag: '"1"', 'Cache-Control': 'max-age=60' };
  let age = '59';
  at.origin.handle('/aged', (req, res) => {
    const known = req.headers['if-none-match'] !== undefined;
    res.writeHead(known ? 304 : 200, { ...fields, Age: age }).end(known ? undefined : 'old already');
  });
  for (const colo of [0, 1]) expect((await ask(at.edge, '/aged', {}, colo)).text).toBe('old already');
  await sleep(1_200);
  age = '50';
  for (const colo of [0, 1]) {
    const { text, headers } = await ask(at.edge, '/aged', {}, colo);
    expect([text, Number(headers.age) >= 50]).toEqual(['old already', true]);
  }
  expect(at.origin.count('/aged')).toBe(2);
});
