/**
 * Letters kept of a word in an alphabetic script: cutting there stands in for a stemmer in any language (McNamee and Mayfield,
 * "Character N-Gram Tokenization for European Language Text Retrieval", 2004).
 */
const STEM_LENGTH = 6;
const ALPHABETIC = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{M}'’-]+$/u;

/** Terms of a sentence as they are compared: folded words, letters of compatibility forms unified, long ones cut to a stem. */
export function termsOf(sentence: string, word: Intl.Segmenter): string[] {
  const terms: string[] = [];
  for (const { segment, isWordLike } of word.segment(sentence)) {
    if (isWordLike !== true) continue;
    const folded = segment.normalize('NFKC').toLowerCase();
    terms.push(ALPHABETIC.test(folded) ? folded.slice(0, STEM_LENGTH) : folded);
  }
  return terms;
}
