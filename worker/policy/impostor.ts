import { field, type HeaderList } from './header-list.ts';

/**
 * An answer that came from the way to the origin, not from the origin. An expired Access service token gets a login
 * page, with status 200 or 302; stored over a page it would greet every reader.
 */
export function isAccessLogin(status: number, headers: HeaderList): boolean {
  const location = field(headers, 'location') ?? '';
  if (
    status >= 300 &&
    status < 400 &&
    /(^https:\/\/[^/]+\.cloudflareaccess\.com(\/|$))|\/cdn-cgi\/access\/(login|authorized)/i.test(location)
  ) {
    return true;
  }
  if (field(headers, 'cf-access-domain') !== undefined || field(headers, 'cf-access-aud') !== undefined) return true;
  return /\bCF_(AppSession|Session)=/i.test(field(headers, 'set-cookie') ?? '');
}

/**
 * Cookies by which Access lets in whoever brings them. A valid service token is answered with them as well (Cloudflare
 * One, service tokens): they are the edge's own, and no page's.
 */
export function isAccessCredential(cookie: string): boolean {
  return /^\s*CF_(Authorization|Binding)=/i.test(cookie);
}

/** What the login page is made of, not what it is about: a post may name Access's addresses, and link to them. */
const LOGIN_MARK =
  /<(?:form|script|link|iframe)\b[^>]*(?:\.cloudflareaccess\.com|\/cdn-cgi\/access\/)|<a\b[^>]*href=["']?\/cdn-cgi\/access\/|<title>\s*Sign in\b[^<]*Cloudflare Access/i;

/** Does an HTML body look like Access's login page? Asked of its beginning, and only where Access guards the way. */
export function looksLikeAccessLogin(beginning: string): boolean {
  return LOGIN_MARK.test(beginning);
}

/** Is it HTML by its own word? Media types have no case (RFC 9110 §8.3.1). */
export function isHtml(headers: HeaderList): boolean {
  return /^text\/html\b/i.test(field(headers, 'content-type') ?? '');
}

/** A status that no response can be built with. To whoever gets one it is a server's error (RFC 9110 §15). */
export function isInvalidStatus(status: number): boolean {
  return status > 599;
}

/**
 * Does this answer show that an application is there? A gateway's error does not, in its words or without; but an interface that is
 * busy says 503 itself, in JSON (RFC 9110 §15.6.4), and is as alive as can be.
 */
export function isAliveAnswer(status: number, headers: HeaderList): boolean {
  const own = status === 503 && /^application\/(?:[\w.+-]+\+)?json\b/i.test(field(headers, 'content-type') ?? '');
  return own || !(isGatewayError(status) || isAccessLogin(status, headers));
}

/** Gateway statuses: the tunnel or the ingress answered for an origin it could not reach (52x and 530 are Cloudflare's). */
export function isGatewayError(status: number): boolean {
  return status === 502 || status === 503 || status === 504 || (status >= 520 && status <= 530);
}
