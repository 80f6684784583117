import { isHtml, looksLikeAccessLogin } from '../policy/impostor.ts';
import { patience } from './flight.ts';

/**
 * The beginning of a body as text, and the response with its body still whole. Ends early with what there is when the
 * body is shorter, breaks, or takes longer than `waitMs`.
 */
async function beginning(
  response: Response,
  bytes: number,
  waitMs: number,
): Promise<{ text: string; whole: Response }> {
  if (response.body === null) return { text: '', whole: response };
  const [peeked, rest] = response.body.tee();
  const reader = peeked.getReader();
  const decoder = new TextDecoder();
  let text = '';
  const read = async (): Promise<void> => {
    for (let seen = 0; seen < bytes; ) {
      const { done, value } = await reader.read();
      if (done) return;
      seen += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  };
  await patience(
    read().catch(() => undefined),
    waitMs,
  );
  reader.cancel().catch(() => undefined);
  return { text, whole: new Response(rest, response) };
}

/** Access's login page shows itself within this many bytes. */
export const LOGIN_BYTES = 16_384;

/**
 * The answer with its body still whole, or undefined when that body is Access's login page (and is let go of). Only
 * the beginning of HTML is looked at; one that takes longer than `waitMs` to come is none.
 */
export async function unlessLogin(response: Response, waitMs: number): Promise<Response | undefined> {
  if (response.body === null || !isHtml([...response.headers])) return response;
  const { text, whole } = await beginning(response, LOGIN_BYTES, waitMs);
  if (!looksLikeAccessLogin(text)) return whole;
  whole.body?.cancel().catch(() => undefined);
  return undefined;
}
