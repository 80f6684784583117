// How comments address a model instead of a reader, in the languages of the readers. Loose: what matches loses only its wording.
const ADDRESSES: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|above|prior|earlier|all|any|your|the|these)\b/iu,
  /\b(?:system|assistant|developer|user|model)\s*(?:prompt|message|override|:)/iu,
  /\b(?:you are now|act as|pretend|new instructions?|from now on|jailbreak|dan mode)\b/iu,
  /\b(?:summari[sz]er|summary|language model|llm|chatgpt|ollama|the ai|an ai|dear ai|bot)\b.{0,40}\b(?:must|should|say|write|output|respond|answer|include|cite|add|end|tell|print)\b/iu,
  /\b(?:say|write|output|respond|answer|reply|include|cite|tell|print|repeat|append|end|translate|insert)\b.{0,40}\b(?:summary|summari[sz]er|only|exactly|verbatim|readers?|every answer|instead|json|following|with the words|c\d+)\b/iu,
  /\b(?:ignorier\w*|vergiss|missachte)\b|\b(?:zusammenfassung)\b.{0,40}\b(?:schreib\w*|muss|enthalt\w*)\b|\bschreibe? (?:nur|stattdessen)\b/iu,
  /\b(?:ignora\w*|olvida|haz caso omiso|dimentica|desconsidere|esqueça)\b|\bescribe solo\b|\bscrivi solo\b|\bresponda apenas\b/iu,
  /\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}(?:instructions?|consignes?|précédent)|\b(?:écri(?:s|vez)|répond(?:s|ez)) (?:seulement|uniquement|exactement)/iu,
  /\bignore as\b|\b(?:instruções|instruktioner|instruksi)\b|\bescreva (?:apenas|só)\b|\b(?:ignorera|strunta i)\b|\bskriv (?:bara|endast)\b|\b(?:abaikan|tulis hanya|bỏ qua|chỉ viết)\b/iu,
  /(?:игнорир|забудь|проигнорируй|напиши только|ответь только|инструкци)|(?:ігнору)/iu,
  /(?:忽略|无视|無視|忘记|忘記|请写|只输出|只回答|輸出|指示|指令)|(?:무시|지시|명령)|(?:以前の|代わりに)/u,
  /(?:تجاهل|اكتب فقط|تعليمات)|(?:התעלם)|(?:अनदेखा|निर्देश)|(?:zignoruj|negeer|yok say|önceki talimat)/iu,
  /\(\/?(?:inst|system|sys)\)|‹‹?\/?\|?\s*(?:im_start|im_end|system|sys|assistant|user|start_of_turn|end_of_turn|eot_id|s)\b|^###?\s*(?:system|instruction)/iu,
  /"?(?:summary|points|notes|ids|commentIds)"?\s*:/iu,
];

/** Texts of the input that talk to the model. */
export function orders(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => ADDRESSES.some((form) => form.test(line)));
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

/** Whether a text repeats so many words of the prompt's own as no summary does. */
export function echoes(text: string, system: string): boolean {
  const own = runs(system, 5);
  return [...runs(text, 5)].some((run) => own.has(run));
}

const ADDRESSED: readonly RegExp[] = [
  /\bas an? (?:ai|language model|assistant)\b|\bi(?:'m| am) (?:sorry|unable|an? (?:ai|language model))\b|\bi (?:can(?:no|')t|won't|will not) (?:help|assist|provide|summari[sz]e|comply|fulfil)/iu,
  /\b(?:ignore|disregard) (?:all |any )?(?:the |your )?(?:previous|prior|above)\b|\bsystem prompt\b|\bmy instructions\b/iu,
  /\b(?:als ki|als sprachmodell|es tut mir leid)\b|\ben tant qu['’]ia\b|\bcomo (?:una? )?(?:ia|modelo de lenguaje)\b|\bje suis désolé\b|\blo siento\b|我无法|申し訳|извините, (?:но )?я/iu,
  /\b(?:click (?:here|on|the)|visit (?:our|my|the site|https?)|subscribe (?:now|to (?:our|my))|buy now|call (?:us|now|this number)|send (?:us |me |your |the )?(?:money|bitcoin|password|payment|crypto)|enter your|log in (?:to|at|here)|download (?:now|this|it|our|the file)|sign up (?:now|at|here)|dear reader|follow (?:us|me) )/iu,
  /\b(?:klicken sie|besuchen sie|jetzt kaufen|cliquez|achetez|visitez|haz clic|compra ahora|visita (?:nuestr|mi)|clicca|compre agora|clique aqui)\b|点击|點擊|クリックして|нажмите|перейдите по|купите|اضغط|클릭/iu,
];

/** Whether a text talks to its reader, or about the one who writes it: orders, offers, refusals. */
export const addresses = (text: string): boolean => ADDRESSED.some((form) => form.test(text.normalize('NFKC')));
