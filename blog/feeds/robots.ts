/** RFC 9309. The machine endpoints are of no use to a search engine. */
export function renderRobots(baseUrl: string): string {
  return `User-agent: *
Disallow: /health
Disallow: /ready
Disallow: /version
Disallow: /metrics

Sitemap: ${baseUrl}/sitemap.xml
`;
}
