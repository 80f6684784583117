import { PurgeRequest } from '../../shared/contract/purge.ts';

const ANNOTATION = 'porchlight.dev/';
/** Label that makes a Deployment ours to watch, with the value `true`. */
export const PURGE_LABEL = `${ANNOTATION}purge`;

export type RolloutPurge =
  | { readonly ok: true; readonly purge: PurgeRequest; readonly ignoredWarm: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/**
 * The purge a Deployment's annotations ask for:
 * - `porchlight.dev/tags`: comma-separated cache tags, or `*` for everything;
 * - `porchlight.dev/prefixes`: comma-separated path prefixes;
 * - `porchlight.dev/warm`: comma-separated URLs to fetch afterwards; one that ends in `.xml` is a sitemap. Only our hosts.
 */
export function rolloutPurge(
  annotations: Readonly<Record<string, string>>,
  publicHosts: readonly string[],
): RolloutPurge {
  const list = (name: string) =>
    (annotations[ANNOTATION + name] ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  const tags = list('tags');
  const prefixes = list('prefixes');
  const isOurs = (url: string) => URL.canParse(url) && publicHosts.includes(new URL(url).host);
  const warm = list('warm');
  const pages = warm.filter((url) => isOurs(url) && !isSitemap(url));
  const sitemap = warm.find((url) => isOurs(url) && isSitemap(url));
  const parsed = PurgeRequest.safeParse({
    ...(tags.includes('*')
      ? { everything: true }
      : { ...(tags.length ? { tags } : {}), ...(prefixes.length ? { prefixes } : {}) }),
    ...(pages.length || sitemap
      ? { warm: { ...(pages.length ? { urls: pages } : {}), ...(sitemap ? { sitemap } : {}) } }
      : {}),
  });
  if (parsed.success) return { ok: true, purge: parsed.data, ignoredWarm: warm.filter((url) => !isOurs(url)) };
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  return { ok: false, problem: `annotations ${ANNOTATION}{tags,prefixes,warm}: ${where}${issue?.message}` };
}

const isSitemap = (url: string) => new URL(url).pathname.endsWith('.xml');
