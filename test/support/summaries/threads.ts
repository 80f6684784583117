import type { Comment, Thread } from '../../../shared/contract/summary.ts';
import { seeded } from '../random.ts';

/** Words of a few languages, so that texts have the letters and stop words of real ones. */
const WORDS = {
  en: 'the of and is that for with this was not cache server people think would should because after router update backup always never morning repair battery cable some others agree price kitchen window summer question answer problem solution before nobody everyone weather',
  de: 'der die das und ist nicht ein mit für auf sich auch dass wird aber Leitung Speicher Strom Wohnung Frage Antwort immer niemand Morgen Fenster Preis Küche Sommer Problem Lösung vorher jeder Wetter Kabel Batterie',
  ru: 'и в не на что это как но для после всегда никто сервер обновление вопрос ответ кабель батарея утро окно цена кухня лето проблема решение раньше каждый погода ремонт люди думают',
  zh: '我们 觉得 这个 服务器 更新 之后 总是 很慢 但是 备份 没有 问题 价格 厨房 窗户 夏天 回答 大家 同意 天气 电池 电缆 修理 早上 解决 办法',
} as const;
export type Written = keyof typeof WORDS;

export interface ThreadShape {
  readonly comments: number;
  readonly seed?: number;
  readonly language?: Written;
  /** Characters of a comment, about. */
  readonly length?: number;
}

function textOf(random: () => number, language: Written, length: number): string {
  const words = WORDS[language].split(' ');
  const [space, stop] = language === 'zh' ? ['', '。'] : [' ', '. '];
  let text = '';
  while (text.length < length) {
    const count = 7 + Math.floor(random() * 8);
    const picked = Array.from({ length: count }, () => words[Math.floor(random() * words.length)] ?? '');
    const [first = ''] = picked;
    text += `${[first.charAt(0).toUpperCase() + first.slice(1), ...picked.slice(1)].join(space)}${stop}`;
  }
  return text.trim();
}

/** A thread as blogs have them: half of the comments answer an earlier one, some were edited or voted for. Same seed, same thread. */
export function threadOf({ comments, seed = 1, language = 'en', length = 215 }: ThreadShape): Thread {
  const random = seeded(seed);
  const all: Comment[] = [];
  for (let index = 0; index < comments; index++) {
    const parent = random() < 0.5 ? all[Math.floor(random() * all.length)] : undefined;
    const at = Date.UTC(2026, 0, 1) + index * 61_000;
    all.push({
      id: `comment-${index + 1}`,
      ...(parent === undefined ? {} : { parentId: parent.id }),
      author: `author ${Math.floor(random() * 40)}`,
      createdAt: new Date(at).toISOString(),
      ...(random() < 0.05 ? { editedAt: new Date(at + 30_000).toISOString() } : {}),
      votes: Math.floor(random() * 30),
      text: textOf(random, language, length * (0.6 + random() * 0.8)),
    });
  }
  return { id: `thread-${seed}`, comments: all };
}
