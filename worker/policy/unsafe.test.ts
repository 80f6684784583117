import { describe, expect, test } from 'vitest';
import type { HeaderList } from './header-list.ts';
import { invalidatedBy } from './unsafe.ts';

const OWN = 'https://blog.example.com';
const invalidated = (status: number, headers: HeaderList, target = `${OWN}/posts/1?x=1`): string[] =>
  invalidatedBy(status, headers, new URL(target), OWN).map(({ href }) => href);

describe('an unsafe request invalidates (RFC 9111 §4.4)', () => {
  test.each([200, 201, 204, 301, 303])('its own target on %d', (status) => {
    expect(invalidated(status, [])).toEqual([`${OWN}/posts/1?x=1`]);
  });

  test.each([400, 401, 404, 409, 500, 503])('nothing on %d', (status) => {
    expect(invalidated(status, [['location', '/new']])).toEqual([]);
  });

  test.each<[string, HeaderList, string[]]>([
    ['an absolute Location', [['location', `${OWN}/new`]], [`${OWN}/new`]],
    ['a relative one', [['location', 'new']], [`${OWN}/posts/new`]],
    ['a rooted one', [['location', '/new?y=2']], [`${OWN}/new?y=2`]],
    [
      'Content-Location too',
      [
        ['content-location', '/b'],
        ['location', '/a'],
      ],
      [`${OWN}/a`, `${OWN}/b`],
    ],
    ['not of another host', [['location', 'https://other.example.com/new']], []],
    ['not of another scheme', [['location', 'http://blog.example.com/new']], []],
    ['not of another port', [['location', 'https://blog.example.com:8443/new']], []],
    ['not with a scheme left out to hide a host', [['location', '//other.example.com/new']], []],
    ['not what is no URL', [['location', 'http://[']], []],
  ])('%s', (_, headers, more) => {
    expect(invalidated(201, headers)).toEqual([`${OWN}/posts/1?x=1`, ...more]);
  });

  test('a path that begins with two slashes names no host', () => {
    const headers: HeaderList = [['location', 'https://evil.example/new']];
    expect(invalidated(201, headers, `${OWN}//evil.example/x`)).toEqual([`${OWN}//evil.example/x`]);
  });

  test('by whatever name the site was asked, it is one site', () => {
    const headers: HeaderList = [['location', 'http://127.0.0.1:8787/new']];
    expect(invalidated(201, headers, 'http://127.0.0.1:8787/posts/1')).toEqual([
      `${OWN}/posts/1`,
      'http://127.0.0.1:8787/new',
    ]);
  });
});
