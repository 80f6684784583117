/** Characters of one sentence in a summary; longer ones are taken in pieces. */
export const SENTENCE_MAX = 300;
/** Sentences of one comment that are looked at. */
export const SENTENCES_PER_COMMENT = 12;

export interface Segmenters {
  readonly sentence: Intl.Segmenter;
  readonly word: Intl.Segmenter;
}

/** For a BCP 47 tag; one that the platform does not take counts as English, whose rules are the root's. */
export function segmenters(locale: string | undefined): Segmenters {
  return { sentence: segmenter(locale, 'sentence'), word: segmenter(locale, 'word') };
}

function segmenter(locale: string | undefined, granularity: 'sentence' | 'word'): Intl.Segmenter {
  try {
    return new Intl.Segmenter(locale ?? 'en', { granularity });
  } catch {
    return new Intl.Segmenter('en', { granularity });
  }
}

/** A full stop after these ends no sentence. The Unicode rules (UAX #29 section 5) know no abbreviations. */
const ABBREVIATION =
  /(?:^|[\s(])(?:mr|mrs|ms|dr|prof|st|vs|approx|resp|no|e\.g|i\.e|cf|z\.\s?b|d\.\s?h|u\.\s?a|bzw|ca|nr|vgl|inkl|sr|sra|ud|p\.\s?ej|т\.\s?е|т\.\s?к|\p{Lu})\.\s*$/iu;

/** Sentences of cleaned text, in order, each a verbatim piece of one of its lines. */
export function sentencesOf(text: string, sentence: Intl.Segmenter): string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    let open = '';
    for (const { segment } of sentence.segment(line)) {
      open += segment;
      if (ABBREVIATION.test(open.slice(-12)) && open.length < SENTENCE_MAX) continue;
      found.push(...pieces(open.trim()));
      open = '';
      if (found.length >= SENTENCES_PER_COMMENT) return found.slice(0, SENTENCES_PER_COMMENT);
    }
    found.push(...pieces(open.trim()));
  }
  return found.slice(0, SENTENCES_PER_COMMENT);
}

/** At the last clause mark or space that leaves a piece within the limit: Thai writes none but spaces, run-on comments none at all. */
function pieces(sentence: string): string[] {
  const parts: string[] = [];
  let rest = sentence;
  while (rest.length > SENTENCE_MAX) {
    const head = rest.slice(0, SENTENCE_MAX);
    const mark = Math.max(...['; ', ', ', ': ', ' – ', ' — ', '、', '，', '；', '، '].map((m) => head.lastIndexOf(m)));
    const at = mark > SENTENCE_MAX / 2 ? mark + 1 : head.lastIndexOf(' ');
    const cut = at > SENTENCE_MAX / 4 ? at : safeCut(head);
    parts.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  if (rest !== '') parts.push(rest);
  return parts;
}

/** Never between the two halves of a character outside the basic plane. */
function safeCut(head: string): number {
  const last = head.charCodeAt(head.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? head.length - 1 : head.length;
}
