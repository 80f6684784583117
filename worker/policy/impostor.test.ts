import { describe, expect, test } from 'vitest';
import type { HeaderList } from './header-list.ts';
import { isAccessLogin, isAliveAnswer, isGatewayError, isInvalidStatus, looksLikeAccessLogin } from './impostor.ts';

const at = (location: string): HeaderList => [['location', location]];

describe('the login page of an expired Access token', () => {
  test.each<[string, number, HeaderList, boolean]>([
    ['a redirect to the team', 302, at('https://team.cloudflareaccess.com/cdn-cgi/access/login/x?kid=1'), true],
    ['to the team alone', 302, at('https://team.cloudflareaccess.com'), true],
    ['to the own login path', 302, at('/cdn-cgi/access/login'), true],
    ['to the callback', 307, at('https://blog.example.com/cdn-cgi/access/authorized'), true],
    ['a page of 200 with its fields', 200, [['cf-access-domain', 'x']], true],
    ['or its audience', 200, [['cf-access-aud', 'x']], true],
    ['or its cookie', 200, [['set-cookie', 'CF_AppSession=1; Secure']], true],
    [
      'or its cookie after another',
      403,
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'CF_Session=1'],
      ],
      true,
    ],
    ['the cookie that a valid token is answered with', 200, [['set-cookie', 'CF_Authorization=1']], false],
    ['an ordinary redirect', 302, at('https://blog.example.com/'), false],
    ['a host that only looks like it', 302, at('https://cloudflareaccess.com.evil.example/'), false],
    ['a post about it', 302, at('/posts/cloudflareaccess.com'), false],
    ['a location without redirect', 201, at('https://team.cloudflareaccess.com/'), false],
    ['a page', 200, [['content-type', 'text/html']], false],
    ['a cookie that only ends so', 200, [['set-cookie', 'MY_CF_AppSession=1']], false],
  ])('%s', (_, status, headers, expected) => {
    expect(isAccessLogin(status, headers)).toBe(expected);
  });

  test('its body', () => {
    expect(looksLikeAccessLogin('<form action="https://team.cloudflareaccess.com/x">')).toBe(true);
    expect(looksLikeAccessLogin('<a href="/cdn-cgi/access/callback">')).toBe(true);
    expect(looksLikeAccessLogin('<h1>Login</h1>')).toBe(false);
  });
});

test.each([502, 503, 504, 520, 522, 524, 530])('%d: a gateway answered', (status) => {
  expect(isGatewayError(status)).toBe(true);
});

test.each([200, 404, 429, 500, 501, 505, 519, 531])('%d: the origin answered', (status) => {
  expect(isGatewayError(status)).toBe(false);
});

test.each<[number, string, boolean]>([
  [200, 'text/html', true],
  [404, 'text/html', true],
  [500, 'text/html', true],
  [503, 'text/plain', false],
  [503, 'text/html', false],
  [503, 'application/json', true],
  [503, 'application/problem+json; charset=utf-8', true],
  [502, 'application/json', false],
  [530, 'application/json', false],
])('%d as %s shows an application alive: %s', (status, type, expected) => {
  expect(isAliveAnswer(status, [['content-type', type]])).toBe(expected);
});

test('statuses end at 599 (RFC 9110 §15)', () => {
  expect([200, 599, 600, 999].map(isInvalidStatus)).toEqual([false, false, true, true]);
});
