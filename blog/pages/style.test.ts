import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY, STYLE } from './style.ts';

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2, "contrast ratio". */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function palette(css: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...css.matchAll(/--([\w-]+):(#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

const [day = '', night = ''] = STYLE.split('@media (prefers-color-scheme:dark)');
const schemes = { light: palette(day), dark: palette(night.slice(0, night.indexOf('}}'))) };
const foregrounds = ['ink', 'soft', 'lamp', 'hl-keyword', 'hl-string', 'hl-function', 'hl-constant', 'hl-comment'];

describe('contrast is at least AA (4.5:1)', () => {
  it.each(
    Object.entries(schemes).flatMap(([scheme, colours]) =>
      foregrounds.flatMap((name) => ['paper', 'panel'].map((ground) => ({ scheme, name, ground, colours }))),
    ),
  )('$scheme: $name on $ground', ({ name, ground, colours }) => {
    expect(contrast(colours[name] ?? '', colours[ground] ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});

it('the style sheet is small, loads nothing from elsewhere, and is what the policy allows', () => {
  expect(STYLE.length).toBeLessThan(12_000);
  expect(STYLE).not.toMatch(/url\(|@import|@font-face/);
  const hash = createHash('sha256').update(STYLE).digest('base64');
  expect(CONTENT_SECURITY_POLICY).toContain(`style-src 'sha256-${hash}'`);
  expect(CONTENT_SECURITY_POLICY).not.toContain('script-src');
});
