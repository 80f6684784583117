import { createCssVariablesTheme, createHighlighterCoreSync } from '@shikijs/core';
import { createJavaScriptRegexEngine } from '@shikijs/engine-javascript';
import css from '@shikijs/langs/css';
import diff from '@shikijs/langs/diff';
import docker from '@shikijs/langs/docker';
import go from '@shikijs/langs/go';
import html from '@shikijs/langs/html';
import http from '@shikijs/langs/http';
import javascript from '@shikijs/langs/javascript';
import json from '@shikijs/langs/json';
import python from '@shikijs/langs/python';
import shell from '@shikijs/langs/shellscript';
import sql from '@shikijs/langs/sql';
import toml from '@shikijs/langs/toml';
import tsx from '@shikijs/langs/tsx';
import typescript from '@shikijs/langs/typescript';
import yaml from '@shikijs/langs/yaml';
import { escapeText } from '../pages/markup.ts';

const VARIABLE = /^var\(--hl-token-([a-z-]+)\)$/;
const theme = createCssVariablesTheme({ name: 'hl', variablePrefix: '--hl-', fontStyle: false });

const highlighter = createHighlighterCoreSync({
  themes: [theme],
  langs: [css, diff, docker, go, html, http, javascript, json, python, shell, sql, toml, tsx, typescript, yaml],
  engine: createJavaScriptRegexEngine({ forgiving: true }),
});
const languages: ReadonlySet<string> = new Set(highlighter.getLoadedLanguages());

/** Characters. The bound is on the size, never on the time: a slow moment must not change the page and its ETag. */
const MAX_CODE = 100_000;

/**
 * Code as HTML: `<span class="hl-keyword">`. Classes rather than inline styles, so that the page's
 * Content-Security-Policy needs no exception and both colour schemes share one body (and one ETag).
 * An unknown language is shown plain.
 */
export function highlight(code: string, language: string): string {
  if (!languages.has(language) || code.length > MAX_CODE) return escapeText(code);
  return highlighter
    .codeToTokensBase(code, { lang: language, theme: 'hl', tokenizeTimeLimit: 0, tokenizeMaxLineLength: 2_000 })
    .map((line) => line.map((token) => renderToken(token.content, token.color)).join(''))
    .join('\n');
}

function renderToken(content: string, color: string | undefined): string {
  const kind = VARIABLE.exec(color ?? '')?.[1];
  const text = escapeText(content);
  return kind === undefined || content.trim() === '' ? text : `<span class="hl-${kind}">${text}</span>`;
}
