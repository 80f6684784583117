// How comments give orders to a model instead of talking to people, in the languages of the readers. Words of everyday talk ("only",
// "forget", "the instructions") count only together: in an order a verb of writing stands where an order begins, or the instructions
// that are to be ignored are named.
const BEGINS = String.raw`(?:^(?:c\d+(?:>c\d+)?: )?\s*|[.!?,;:("“”'‘’…-]\s*|\b(?:and|then|now|please|just|must|should|always)\s+)`;
const VERBS =
  'say|write|output|respond|answer|reply|include|cite|tell|print|repeat|append|end|translate|insert|mention';
const WRITES = new RegExp(
  String.raw`${BEGINS}(?:${VERBS})\b.{0,40}\b(?:summary|summari[sz]er|only|exactly|verbatim|readers?|every answer|instead|json|following|with the words?|c\d+)\b`,
  'iu',
);

const ORDERS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}\b(?:instructions?|prompts?|rules|guidelines?|commands?|directions|context|system)\b/iu,
  /\b(?:ignore|disregard|forget)\s+(?:all |everything |any )?(?:of )?(?:the |that )?(?:above|previous|prior|earlier)\b/iu,
  /^(?:c\d+(?:>c\d+)?: )?\W*(?:system|assistant|developer|user|model)\s*(?:prompt|message|override)?\s*:/iu,
  /[.!?]\s+(?:system|assistant|developer|user)\s*:|\bsystem (?:prompt|override)\s*:/iu,
  /\b(?:you are now|new instructions?|jailbreak|dan mode)\b|\bact as (?:an?|if you)\b|\bpretend (?:to be|that you|you)\b/iu,
  /\bfrom now on,? (?:you|your|the summary|every|all|answer|respond|write|say|only)\b/iu,
  /\b(?:summari[sz]er|summary|language model|llm|chatgpt|ollama|dear ai)\b.{0,40}\b(?:must|should|has to|needs? to|shall)\b.{0,20}\b(?:say|write|output|respond|answer|include|cite|add|end|tell|print|mention|contain|read)\b/iu,
  /\b(?:summari[sz]er|language model|llm|chatgpt|ollama|(?:the|an|dear) ai|bot)\b[,:!]?\s+(?:please )?(?:say|write|output|respond|include|cite|add|end|print|ignore|repeat)\b/iu,
  WRITES,
  /\b(?:output|print|write|say|respond|answer|reply|repeat)\s+(?:only|exactly|verbatim)\s*[:"“]|\bsnoitcurtsni\b|\btpmorp\b/iu,
  /\b(?:ignorier\w*|vergiss|missachte)\b.{0,60}\b(?:anweisung\w*|regeln|vorherig\w*|bisherig\w*|obig\w*|prompt)|\bzusammenfassung\b.{0,40}\b(?:muss|soll) .{0,40}\b(?:enthalten|lauten|sagen)\b|\bschreibe? (?:nur|stattdessen)\b/iu,
  /\b(?:ignora\w*|olvida|haz caso omiso|dimentica|desconsidere|esqueça|ignore)\b.{0,60}(?:instruc|instruç|istruzion|consigna|anterior|previ|precedent)|\b(?:escribe|escreva|scrivi) (?:solo|só|apenas)\b|\bresponda (?:apenas|solo)\b/iu,
  /\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}(?:instructions?|consignes?|précédent)|\b(?:écri(?:s|vez)|répond(?:s|ez)) (?:seulement|uniquement|exactement)/iu,
  /\b(?:ignorera|strunta i|ignorer|abaikan|bỏ qua)\b.{0,40}(?:instruktion|instruksi|tidigare|hướng dẫn|chỉ thị|lệnh)|\bskriv (?:bara|endast)\b|\btulis hanya\b|chỉ viết/iu,
  /(?:игнорир|забудь).{0,60}(?:инструкци|указани|правил|команд)|(?:напиши|ответь|выведи) только|ігнору.{0,60}(?:інструкці|вказів)/iu,
  /(?:忽略|无视|無視|忘记|忘記).{0,20}(?:指令|指示|提示|说明|命令|規則|规则)|(?:只|仅|僅)(?:输出|輸出|回答|写)|(?:指示|命令).{0,10}無視|代わりに.{0,40}(?:書|出力|答え)|(?:지시|명령).{0,20}(?:무시|잊)/u,
  /تجاهل.{0,40}(?:التعليمات|تعليمات|الأوامر)|اكتب فقط|התעלם.{0,40}(?:הוראות|הנחיות)|निर्देश.{0,30}(?:अनदेखा|भूल)|(?:अनदेखा|भूल).{0,30}निर्देश/u,
  /zignoruj.{0,60}(?:instrukcj|polece)|(?:önceki|yukarıdaki) (?:talimat|komut)|(?:talimat|komut).{0,30}(?:yok say|görmezden)/iu,
  /\(\/?(?:inst|system|sys)\)|‹‹?\/?\|?\s*(?:im_start|im_end|system|sys|assistant|user|start_of_turn|end_of_turn|eot_id|s)\b|^###?\s*(?:system|instruction)/iu,
  /"(?:summary|points|notes|ids)"\s*:|\bcommentIds\b/iu,
];

/** What may follow an order that still belongs to it, in characters: what is to be written stands there. */
const AFTER = 240;
const BEFORE = 40;

/** Texts of the input that talk to the model. */
export function orders(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => ORDERS.some((form) => form.test(line)));
}

/** Of each such text the part around its orders: the rest of a long comment is talk like any other. */
export function wordings(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const found = ORDERS.map((form) => form.exec(line)).filter((match) => match !== null);
    if (found.length === 0) return [];
    const from = Math.min(...found.map(({ index }) => index)) - BEFORE;
    const to = Math.max(...found.map((match) => match.index + match[0].length)) + AFTER;
    return [line.slice(Math.max(0, from), to)];
  });
}

/** Words in a row that no report on an order needs to repeat. */
const RUN = 3;
const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u;
const WIDE_RUN = 6;

function words(text: string): readonly string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(WIDE.test(text) ? /[\p{L}\p{N}]/gu : /[\p{L}\p{N}]+/gu) ?? []
  );
}

function runs(text: string, length: number): ReadonlySet<string> {
  const all = words(text);
  return new Set(
    all.slice(0, Math.max(all.length - length + 1, 0)).map((_, at) => all.slice(at, at + length).join(' ')),
  );
}

/** Whether a text says again what an order in the input said: word for word, or in capitals it shouted. */
export function obeys(text: string, ordering: readonly string[]): boolean {
  if (ordering.length === 0) return false;
  const length = WIDE.test(text) ? WIDE_RUN : RUN;
  const said = runs(text, length);
  const loud = new Set(text.match(/\p{Lu}{4,}/gu) ?? []);
  const few = words(text);
  // An answer too short for a run of words is one of the order's words, or two.
  const isPart = (order: string) => few.length < length && few.every((word) => words(order).includes(word));
  return ordering.some((order) => {
    const asked = runs(order.replace(/^c\d+(?:>c\d+)?: /, ''), length);
    return (
      isPart(order) ||
      [...said].some((run) => asked.has(run)) ||
      (order.match(/\p{Lu}{4,}/gu) ?? []).some((word) => loud.has(word))
    );
  });
}

/** Words in a row that no summary shares with the prompt's own. */
const ECHO = 5;

/** What a text must not repeat of the prompt's own words. */
export const phrases = (system: string): ReadonlySet<string> => runs(system, ECHO);

/** Whether a text repeats so many words of the prompt's own as no summary does. */
export function echoes(text: string, own: ReadonlySet<string>): boolean {
  return [...runs(text, ECHO)].some((run) => own.has(run));
}

// Where a sentence, or a part of one, can begin with an order to its reader.
const IMPERATIVE = String.raw`(?:^|[.!?;:]\s*|\b(?:please|just|now|simply|so)\s+)`;

const ADDRESSED: readonly RegExp[] = [
  /\bas an? (?:ai|(?:large )?language model|assistant)(?: (?:model|assistant|language model))?,? (?:i|we)\b|(?:^|[.!?]\s*)as an? (?:ai|(?:large )?language model)\b|\bi(?:'m| am) (?:sorry|unable|an? (?:ai|language model))\b|\bi (?:can(?:no|')t|won't|will not) (?:help|assist|provide|summari[sz]e|comply|fulfil)/iu,
  /\b(?:ignore|disregard) (?:all |any )?(?:the |your )?(?:previous|prior|above)\b|\bmy (?:system prompt|instructions)\b/iu,
  /\b(?:als ki|als sprachmodell|es tut mir leid)\b|\ben tant qu['’]ia\b|\bcomo (?:una? )?(?:ia|modelo de lenguaje)\b|\bje suis désolé\b|\blo siento\b|我无法|申し訳|извините, (?:но )?я/iu,
  /\b(?:click here|visit (?:our|my|https?)|subscribe (?:now|to (?:our|my))|buy now|call (?:us|now|this number)|send (?:us |me )(?:money|bitcoin|password|payment|crypto)|download now|sign up (?:now|here)|dear reader|follow (?:us|me) )/iu,
  new RegExp(
    `${IMPERATIVE}(?:click (?:on|the)|visit the site|send (?:your |the )?(?:money|bitcoin|password|payment|crypto)|enter your|log in (?:to|at|here)|download (?:this|it|our|the file)|sign up at) `,
    'iu',
  ),
  /\b(?:klicken sie|besuchen sie|jetzt kaufen|cliquez|achetez|visitez|haz clic|compra ahora|visita (?:nuestr|mi)|clicca|compre agora|clique aqui)\b|点击|點擊|クリックして|нажмите|перейдите по|купите|اضغط|클릭/iu,
];

/** Whether a text talks to its reader, or about the one who writes it: orders, offers, refusals. */
export const addresses = (text: string): boolean => ADDRESSED.some((form) => form.test(text.normalize('NFKC')));
