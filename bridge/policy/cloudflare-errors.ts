/**
 * What a 400 of `POST /zones/{id}/purge_cache` complains about.
 * - `content`: this purge's body; it will never be taken.
 * - `circumstances`: the request's headers (6xxx), its path (7xxx), authentication (9xxx, 10000), the zone, the plan or a rate: nothing is
 *   wrong with the purge, and it is due once that is put right.
 * - `unknown`: the purge's own service says something else.
 */
export type Complaint = 'content' | 'circumstances' | 'unknown';

/** Zone error codes of Cloudflare's API v4 that speak of the body: selectors missing, mixed, too many, too long, of another zone. */
const CONTENT = new Set([1012, 1013, 1014, 1082, 1085, 1086, 1092, 1094, 1100, 1101, 1111, 1114, 1115]);
/** Those that speak of user, zone, permission, plan, rate, or an error of theirs. */
const CIRCUMSTANCES = new Set([
  ...[1000, 1001, 1006, 1008, 1018, 1020, 1021, 1023, 1052, 1068, 1070, 1074, 1077, 1083],
  ...[1095, 1096, 1097, 1098, 1102, 1105, 1107, 1112, 1113],
]);

/** @param codes of `errors`; those in an `error_chain` only explain them. */
export function complaintOf(codes: readonly unknown[]): Complaint {
  const numbers = codes.map(Number);
  const isPurgeService = (code: number) => code >= 1000 && code < 2000;
  if (numbers.length === 0 || numbers.some((code) => !isPurgeService(code) || CIRCUMSTANCES.has(code)))
    return 'circumstances';
  return numbers.every((code) => CONTENT.has(code)) ? 'content' : 'unknown';
}
