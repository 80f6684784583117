// Cf: zero-width, bidi controls, tags; Cc, Cs, Co, Cn; and variation selectors, which can carry hidden bytes.
const HIDDEN =
  /\p{Cf}|\p{Cs}|\p{Co}|\p{Cn}|[\u{FE00}-\u{FE0F}]|[\u{E0100}-\u{E01EF}]|\u034F|\u115F|\u1160|\u3164|\uFFA0/gu;

/** Text without anything a reader does not see, on one line. */
export function visible(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Cc}+|\p{Zl}|\p{Zp}/gu, ' ')
    .replace(HIDDEN, '')
    .replace(/\s+/gu, ' ')
    .trim();
}

/**
 * A comment as it may stand in a prompt. One line, so that it cannot begin one; no angle or square brackets, so that no chat
 * template's marks (which Ollama reads in a message too), HTML or links survive; no runs of ruling that look like a fence.
 */
export function asData(text: string): string {
  return visible(text)
    .replace(/[<＜﹤]/gu, '‹')
    .replace(/[>＞﹥]/gu, '›')
    .replace(/[[［【]/gu, '(')
    .replace(/[\]］】]/gu, ')')
    .replace(/([=#\-_*~|"'`.‹›])\1{2,}/gu, '$1$1');
}
