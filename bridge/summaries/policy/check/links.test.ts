import { describe, expect, test } from 'vitest';
import { leadsAway } from './links.ts';

describe('what leads somewhere', () => {
  test.each([
    ['See https://evil.example/x for more.', ''],
    ['See https://evil.example/x for more.', 'a comment with https://evil.example/x'],
    ['See hxxp://evil for more.', ''],
    ['Go to evil[.]com now.', ''],
    ['Go to evil (dot) com now.', ''],
    ['Go to evil\u200b.com now.', ''],
    ['Go to evil。com now.', ''],
    ['Go to evil\uff0ecom now.', ''],
    ['Go to evil·com now.', ''],
    ['Go to evil․com now.', ''],
    ['Go to xn--80ak6aa92e.com now.', 'xn--80ak6aa92e.com'],
    ['Go to аррӏе.com now.', 'they discuss apple.com'],
    ['Go to evil.co now.', 'evil.com was named'],
    ['Go to 10.0.0.1 now.', '10.0.0.1'],
    ['Write to a.b@evil.example.', 'a.b@evil.example'],
    ['Follow @evil for more.', 'follow @evilish'],
    ['Read [this](evil).', ''],
    ['Call +49 151 2345 6789 today.', ''],
    ['去 evil。com 看看。', ''],
    ['Call 0800–555–0199 for help.', ''],
    ['Call ٠٨٠٠٥٥٥٠١٩٩ for help.', ''],
    ['Call ०८००-५५५-०१९९ for help.', ''],
    ['Call 0800/555 0199 for help.', ''],
    ['Look at casino dot xyz for more.', ''],
    ['Look at casino .com for more.', ''],
    ['Look at casino. com for more.', ''],
    ['Look at उदाहरण.भारत for more.', ''],
    ['Write to u/evil_shop.', ''],
    ['Write to evil#1234.', ''],
  ])('%s', (text, input) => {
    expect(leadsAway(text, input)).toBe(true);
  });

  test.each([
    ['They prefer node.js over bun.', 'I use Node.js daily'],
    ['They name @maria as the author.', 'ask @maria about it'],
    ['Some say 3.5 percent. Others doubt it.', ''],
    ['大家同意备份很慢。有人觉得价格太高。', ''],
    ['更新の後は遅い。でも、バックアップはない。', ''],
    ['La col·lecció agrada a tothom.', ''],
    ['Some use .net, others an .env file. Shop owners disagree.', ''],
    ['They ask in r/selfhosted.', 'I read r/selfhosted'],
    ['They call 0800–555–0199.', 'call 0800-555-0199'],
    ['It takes 24/7 care and/or money.', ''],
    ['یہ بہت سست ہے۔ قیمت زیادہ ہے۔', ''],
  ])('not: %s', (text, input) => {
    expect(leadsAway(text, input)).toBe(false);
  });
});
