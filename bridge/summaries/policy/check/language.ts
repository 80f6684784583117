const STOP: Readonly<Record<string, string>> = {
  en: 'the and of to is are that for with this was but not they it have be on as some from others more about',
  de: 'der die das und ist nicht ein eine mit für auf den sich auch von dass sind zu es wird im als oder aber einige',
  fr: 'le la les et est des une pas que pour dans sur avec qui sont du en il au plus mais ce aux ont certains',
  es: 'el la los las y es que de en un una por con para no se del como más pero son al lo algunos su está',
  it: 'il la che di e è per un una non con sono del della le gli si come più ma anche nel alla dei alcuni',
  pt: 'o os as e é que de em um uma para com não por do da dos das como mais mas são no na ao alguns',
  nl: 'de het een en is van dat niet op te met voor zijn er maar ook om aan als door worden sommige die',
  sv: 'och att det är som en på för inte med av den till de ett om har men också kan vid några',
  pl: 'i w na z że nie się jest do to jak o po za ale są przez dla oraz tego które niektórzy',
};
/** Languages that have a word among their most frequent. */
const SPOKEN = new Map<string, readonly string[]>();
for (const [name, words] of Object.entries(STOP)) {
  for (const word of new Set(words.split(' '))) SPOKEN.set(word, [...(SPOKEN.get(word) ?? []), name]);
}

const SCRIPTS: readonly [RegExp, readonly string[]][] = [
  [/[\p{sc=Hiragana}\p{sc=Katakana}]/gu, ['ja']],
  [/\p{sc=Hangul}/gu, ['ko']],
  [/\p{sc=Han}/gu, ['zh', 'ja']],
  [/\p{sc=Cyrillic}/gu, ['ru', 'uk', 'bg', 'sr', 'be', 'mk', 'kk', 'mn', 'ky', 'tg']],
  [/\p{sc=Arabic}/gu, ['ar', 'fa', 'ur', 'ps', 'ckb', 'ug']],
  [/\p{sc=Hebrew}/gu, ['he', 'yi']],
  [/\p{sc=Devanagari}/gu, ['hi', 'mr', 'ne']],
  [/\p{sc=Greek}/gu, ['el']],
  [/\p{sc=Thai}/gu, ['th']],
];

const KNOWN_SCRIPTS = new Set(SCRIPTS.flatMap(([, names]) => names));
const base = (tag: string): string => tag.toLowerCase().split('-')[0] ?? '';

/** The language of a text where it shows clearly; undefined where it does not. */
export function languageOf(text: string): string | undefined {
  const letters = (text.match(/\p{L}/gu) ?? []).length;
  if (letters === 0) return undefined;
  for (const [script, names] of SCRIPTS) {
    const share = (text.match(script) ?? []).length / letters;
    if (share > (names[0] === 'ja' ? 0.15 : 0.5)) return names.length === 1 || names[0] === 'zh' ? names[0] : undefined;
  }
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const scores = new Map<string, number>();
  for (const word of words) for (const name of SPOKEN.get(word) ?? []) scores.set(name, (scores.get(name) ?? 0) + 1);
  const [first, second] = [...scores].sort(([, a], [, b]) => b - a);
  const [name, score] = first ?? ['', 0];
  return score >= 4 && score >= (second?.[1] ?? 0) * 1.5 && score / words.length > 0.15 ? name : undefined;
}

/** Whether a text is clearly not in the language asked for. When in doubt it is. */
export function otherLanguage(text: string, wanted: string): boolean {
  const name = base(wanted);
  const letters = (text.match(/\p{L}/gu) ?? []).length;
  if (letters < 12) return false;
  if (KNOWN_SCRIPTS.has(name) && name !== 'sr') {
    const own = SCRIPTS.filter(([, names]) => names.includes(name));
    const share = own.reduce((sum, [script]) => sum + (text.match(script) ?? []).length, 0) / letters;
    return share < 0.3;
  }
  if (!Object.hasOwn(STOP, name)) return false;
  const latin = (text.match(/\p{sc=Latin}/gu) ?? []).length / letters;
  if (latin < 0.5) return true;
  const found = languageOf(text);
  return found !== undefined && found !== name;
}
