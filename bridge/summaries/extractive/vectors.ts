/** Cosine of every pair of sentences, row by row. */
export interface Similarities {
  readonly size: number;
  at(row: number, column: number): number;
}

interface Posting {
  readonly sentence: number;
  readonly weight: number;
}

/**
 * TF-IDF cosines (inverse document frequency over the sentences themselves) through an inverted index. Terms that stand in most
 * sentences weigh close to nothing, so no stop list in any language is needed. Memory: 4 bytes x sentences squared.
 */
export function similarities(sentences: readonly (readonly string[])[]): Similarities {
  const size = sentences.length;
  const index = invertedIndex(sentences);
  const cells = new Float32Array(size * size);
  for (const postings of index.values()) {
    for (const left of postings) {
      for (const right of postings) {
        const cell = left.sentence * size + right.sentence;
        cells[cell] = (cells[cell] ?? 0) + left.weight * right.weight;
      }
    }
  }
  return { size, at: (row, column) => Math.min(1, cells[row * size + column] ?? 0) };
}

/** Terms with the sentences that hold them; weights normalised so that a sentence has length one. */
function invertedIndex(sentences: readonly (readonly string[])[]): Map<string, Posting[]> {
  const counts = sentences.map(countTerms);
  const documents = new Map<string, number>();
  for (const terms of counts) for (const term of terms.keys()) documents.set(term, (documents.get(term) ?? 0) + 1);
  const index = new Map<string, Posting[]>();
  for (const [sentence, terms] of counts.entries()) {
    const weighed = [...terms].map(([term, count]) => {
      const idf = Math.log((1 + sentences.length) / (documents.get(term) ?? 1));
      return { term, weight: (1 + Math.log(count)) * idf };
    });
    const norm = Math.sqrt(weighed.reduce((sum, { weight }) => sum + weight * weight, 0)) || 1;
    for (const { term, weight } of weighed) {
      const postings = index.get(term) ?? [];
      postings.push({ sentence, weight: weight / norm });
      index.set(term, postings);
    }
  }
  return index;
}

function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
