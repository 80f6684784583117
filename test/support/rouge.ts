/** Overlap of word n-grams with a reference. */
export interface Rouge {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Words in small letters, of any script. */
export function words(text: string, locale: string): string[] {
  const segmenter = new Intl.Segmenter(locale, { granularity: 'word' });
  return [...segmenter.segment(text.toLowerCase())]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment);
}

function grams(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + n <= tokens.length; at++) {
    const gram = tokens.slice(at, at + n).join('\u0001');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** ROUGE-N (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004) without stemming or stop words: clipped counts. */
export function rouge(candidate: readonly string[], reference: readonly string[], n: number): Rouge {
  const [ours, theirs] = [grams(candidate, n), grams(reference, n)];
  let overlap = 0;
  for (const [gram, count] of ours) overlap += Math.min(count, theirs.get(gram) ?? 0);
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const precision = overlap / (total(ours) || 1);
  const recall = overlap / (total(theirs) || 1);
  return { precision, recall, f1: overlap === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

/** Mean F1 over the references. */
export function meanRouge(candidate: readonly string[], references: readonly (readonly string[])[], n: number): number {
  return references.reduce((sum, reference) => sum + rouge(candidate, reference, n).f1, 0) / (references.length || 1);
}
