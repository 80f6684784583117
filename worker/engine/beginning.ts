import { patience } from './flight.ts';

/**
 * The beginning of a body as text, and the response with its body still whole. Ends early with what there is when the
 * body is shorter, breaks, or takes longer than `waitMs`.
 */
export async function beginning(
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
