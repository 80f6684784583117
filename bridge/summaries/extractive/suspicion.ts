import { visible } from './clean.ts';

/** From here on a comment is suspect. */
export const SUSPECT = 0.5;

interface Sign {
  readonly pattern: RegExp;
  readonly weight: number;
}

/** Words that speak to a machine that summarises, not to the people of the thread. Alone one may be chance; two are not. */
const INSTRUCTIONS: readonly Sign[] = [
  {
    pattern:
      /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b.{0,40}\b(?:instruction|prompt|rule|message|context|guideline)/is,
    weight: 0.9,
  },
  {
    pattern: /\b(?:ignorier|vergiss|missachte)\w*\b.{0,40}\b(?:anweisung|regeln|vorherige|bisherige|prompt)/is,
    weight: 0.9,
  },
  {
    pattern: /\b(?:ignora|olvida|oublie|ignore[zr]?)\b.{0,40}\b(?:instruc|consignes|anteriores|précédentes)/is,
    weight: 0.9,
  },
  {
    pattern:
      /\b(?:ignorera|strunta i|ignorer|abaikan|bỏ qua)\b.{0,40}(?:instruktion|instruksi|hướng dẫn|tidigare|chỉ thị)/is,
    weight: 0.9,
  },
  { pattern: /(?:игнорируй|забудь).{0,40}(?:инструкци|указани|правил)/isu, weight: 0.9 },
  {
    pattern:
      /(?:忽略|无视|無視|忘记).{0,20}(?:指令|指示|提示|说明|命令|規則)|(?:以前|上記|これまで)の(?:指示|命令).{0,10}無視/su,
    weight: 0.9,
  },
  { pattern: /تجاهل.{0,30}(?:التعليمات|الأوامر)/su, weight: 0.9 },
  {
    pattern: /<\|[\w ]{1,30}\|>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:system|assistant|user|instructions?|prompt)>/i,
    weight: 0.9,
  },
  {
    pattern: /^\s*(?:#{1,6}\s*|\*\*)?(?:system|assistant|developer|instructions?)(?:\s+prompt)?(?:\*\*)?\s*:/im,
    weight: 0.6,
  },
  { pattern: /\byou are (?:now )?(?:an?|the) (?:\w+ ){0,2}(?:assistant|model|ai|bot|chatbot)\b/i, weight: 0.6 },
  {
    pattern:
      /\b(?:as|act as) an? (?:ai|language model|assistant)\b|\bthe (?:assistant|model|summary|summariser|summarizer|ai) (?:must|should|has to|will)\b/i,
    weight: 0.6,
  },
  { pattern: /\bsummari[sz]e (?:this|the)\b.{0,60}\b(?:by|as|with|saying|telling)\b/is, weight: 0.6 },
  {
    pattern:
      /\b(?:respond|reply|answer|output|print|write|return)\b.{0,20}\b(?:only|exactly|verbatim|with the (?:word|text|following))\b/is,
    weight: 0.4,
  },
  { pattern: /\b(?:system prompt|jailbreak|developer mode|new instructions?)\b/i, weight: 0.4 },
];

const ADVERTISING: readonly Sign[] = [
  { pattern: /\b\d{1,3}\s?% ?(?:off|discount|rabatt|de descuento)|[-−]\s?\d{2}\s?%/i, weight: 0.35 },
  {
    pattern: /\b(?:promo|coupon|discount|voucher|use)\s?code\b|\buse code\b|\bcódigo promocional\b|\bgutschein/i,
    weight: 0.4,
  },
  {
    pattern:
      /\b(?:click here|buy now|order now|act now|sign up now|limited (?:time )?offer|jetzt kaufen|nur heute|compra ya|llama ya)\b/i,
    weight: 0.4,
  },
  {
    pattern:
      /\b(?:free (?:iphone|gift|money|crypto|bitcoin)|win a free|earn .{0,12}(?:per|a) (?:day|week)|work from home|from home, ask me|make money)\b/i,
    weight: 0.45,
  },
  {
    pattern: /\b(?:cheap|billig|barato)\b|\b(?:casino|viagra|forex|crypto signals?|hot singles|escort)\b/i,
    weight: 0.2,
  },
  { pattern: /\b(?:telegram|whatsapp|dm me|message me on|inbox me)\b/i, weight: 0.25 },
  { pattern: /(?:[!！]\s?){3}/, weight: 0.2 },
  { pattern: /(.)\1{9}/su, weight: 0.3 },
];

export interface Suspicion {
  /** Speaks to a machine. Such words are never repeated once they reach `SUSPECT`. */
  readonly instruction: number;
  /** Sells something, or shouts. */
  readonly advertising: number;
}

/**
 * How much a comment looks like an instruction to a machine and like advertising, each 0 (not at all) to 1. An extractive summary
 * repeats people's words, so this decides whose words are worth repeating. Pure.
 */
export function suspicionOf(text: string): Suspicion {
  // Letters of other widths and hidden characters do not hide a word from the patterns.
  const plain = visible(text).normalize('NFKC');
  const links = plain.match(/https?:\/\/|www\./gi)?.length ?? 0;
  return {
    instruction: Math.min(1, scoreOf(plain, INSTRUCTIONS)),
    advertising: Math.min(1, scoreOf(plain, ADVERTISING) + Math.min(3, links) * 0.15 + shouting(plain)),
  };
}

const scoreOf = (text: string, signs: readonly Sign[]): number =>
  signs.reduce((total, { pattern, weight }) => total + (pattern.test(text) ? weight : 0), 0);

/** Text mostly in capitals, in scripts that have them. */
function shouting(text: string): number {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  return letters >= 20 && capitals / letters > 0.6 ? 0.25 : 0;
}
