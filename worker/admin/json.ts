/** Fields of every answer of the admin interface: never stored, never sniffed. */
export const JSON_TYPE = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export function json(status: number, value: unknown, extra: Record<string, string> = {}): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status, headers: { ...JSON_TYPE, ...extra } });
}
