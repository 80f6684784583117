import type { Comment } from '../../../shared/contract/summary.ts';
import type { Extract } from '../types.ts';
import { BOUNDS, type Candidate, choose } from './choose.ts';
import { clean, MASKS } from './clean.ts';
import { lexRank } from './lexrank.ts';
import { LAMBDA, mmr } from './mmr.ts';
import { segmenters, sentencesOf } from './sentences.ts';
import { SUSPECT, suspicionOf } from './suspicion.ts';
import { type Similarities, similarities } from './vectors.ts';
import { places, trust, type Weighing } from './weigh.ts';
import { termsOf } from './words.ts';

/** Parts that a comparison may switch off. */
export interface Parts extends Weighing {
  readonly mmr: boolean;
}
export const ALL: Parts = { votes: true, replies: true, mmr: true };

/** Words a sentence needs to say something, and cosine from which two say the same. */
const WORDS_MIN = 5;
const SAME = 0.8;
/** What a second sentence of one comment counts as alike at least: a thread has more than one voice. */
const SAME_SPEAKER = 0.3;

interface Sentence {
  readonly text: string;
  readonly terms: readonly string[];
  readonly commentIds: readonly string[];
  /** Without regard to the other sentences. */
  readonly weight: number;
}

/**
 * Sentences of the thread itself: LexRank over TF-IDF cosines, weighed by votes and place in the reply tree, chosen by MMR, given in
 * thread order. Deterministic, bounded (see `BOUNDS`), never throws; both results are empty where the thread has no usable sentence.
 */
export const extract: Extract = (comments, options) => extractWith(comments, options, ALL);

export function extractWith(
  comments: readonly Comment[],
  { maxSentences, locale }: Parameters<Extract>[1],
  parts: Parts,
): ReturnType<Extract> {
  const sentences = readSentences(choose(comments, places(comments), parts), locale);
  if (sentences.length === 0 || maxSentences < 1) return { summary: '', points: [] };
  const similar = similarities(sentences.map(({ terms }) => terms));
  const rank = lexRank(
    similar,
    sentences.map(({ weight }) => weight),
  );
  const worth = sentences.map(({ weight }, at) => weight * (rank[at] ?? 0));
  const chosen = chooseSentences(sentences, worth, similar, { count: maxSentences, redundancy: parts.mmr });
  const points = chosen.map((at) => ({
    text: sentences[at]?.text ?? '',
    commentIds: citations(sentences, similar, at),
  }));
  return { summary: joined(points.map(({ text }) => text)), points };
}

/** Of sentences that say the same the best stands for all. Thread order, which is the order of `sentences`. */
function chooseSentences(
  sentences: readonly Sentence[],
  worth: readonly number[],
  similar: Similarities,
  { count, redundancy }: { count: number; redundancy: boolean },
): number[] {
  const first = (at: number) => sentences[at]?.commentIds[0];
  const alike = (left: number, right: number) =>
    Math.max(similar.at(left, right), first(left) === first(right) ? SAME_SPEAKER : 0);
  const order = mmr(worth, alike, redundancy ? count * 8 : count, redundancy ? LAMBDA : 1);
  const chosen: number[] = [];
  for (const at of order) {
    if (chosen.length === count) break;
    if (!redundancy || chosen.every((other) => similar.at(at, other) < SAME)) chosen.push(at);
  }
  return chosen.sort((a, b) => a - b);
}

function citations(sentences: readonly Sentence[], similar: Similarities, at: number): string[] {
  const same = sentences.filter((_, other) => other === at || similar.at(at, other) >= SAME);
  return [...new Set([...(sentences[at]?.commentIds ?? []), ...same.flatMap(({ commentIds }) => commentIds)])];
}

/**
 * The sentences that say something, in thread order. Short ones only where there are no others, advertising only where nobody else
 * speaks, and what speaks to a machine never.
 */
function readSentences(candidates: readonly Candidate[], locale: string | undefined): Sentence[] {
  const tools = segmenters(locale);
  const read = candidates.flatMap((candidate) => {
    const suspicion = suspicionOf(candidate.text);
    if (suspicion.instruction >= SUSPECT) return [];
    const advertising = suspicion.advertising >= SUSPECT;
    return sentencesOf(clean(candidate.text), tools.sentence)
      .map((text, at) => ({ ...sentenceOf(candidate, trust(suspicion), text, at, tools.word), advertising }))
      .filter(({ text, terms }) => terms.length > 0 && !isMostlyMasks(text));
  });
  const honest = read.filter(({ advertising }) => !advertising);
  const telling = honest.filter(({ terms }) => terms.length >= WORDS_MIN);
  return within([telling, honest, read].find((list) => list.length > 0) ?? []);
}

/** The weightiest, as many as are compared. */
function within(sentences: readonly Sentence[]): Sentence[] {
  if (sentences.length <= BOUNDS.sentences) return [...sentences];
  const taken = [...sentences.keys()].sort(
    (a, b) => (sentences[b]?.weight ?? 0) - (sentences[a]?.weight ?? 0) || a - b,
  );
  const kept = new Set(taken.slice(0, BOUNDS.sentences));
  return sentences.filter((_, at) => kept.has(at));
}

function sentenceOf(candidate: Candidate, trusted: number, text: string, at: number, word: Intl.Segmenter): Sentence {
  const terms = termsOf(text, word);
  const position = 1 / (1 + 0.1 * at);
  const question = /[?？؟]["'”’)]?$/.test(text) ? 0.6 : 1;
  const masked = Object.values(MASKS).some((mask) => text.includes(mask)) ? 0.4 : 1;
  const brief = Math.min(1, terms.length / 10);
  const weight = candidate.weight * trusted * position * question * masked * brief;
  return { text, terms, commentIds: candidate.commentIds, weight };
}

function isMostlyMasks(text: string): boolean {
  const masks = text.match(/\[(?:link|email|name)\]/g)?.length ?? 0;
  return masks > 2;
}

/** One line of text, set as its script does: a sentence that its writer left open is ended, and Chinese has no space after it. */
function joined(sentences: readonly string[]): string {
  return sentences
    .map((text) => {
      const ended = /[\p{P}\p{S}]$/u.test(text) ? text : `${text}${fullStop(text)}`;
      return /[。！？]$/.test(ended) ? ended : `${ended} `;
    })
    .join('')
    .trim();
}

function fullStop(text: string): string {
  if (/[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}]$/u.test(text)) return '。';
  if (/\p{sc=Devanagari}$/u.test(text)) return '।';
  // Thai, Lao and Khmer set a space between sentences and nothing else.
  return /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]$/u.test(text) ? '' : '.';
}
