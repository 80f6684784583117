import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Comments and indentation removed: what is left is what every page carries. */
function compact(css: string): string {
  return css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '')
    .replace(/\s*([{};])\s*/g, '$1')
    .replace(/: /g, ':')
    .replace(/;}/g, '}');
}

/**
 * The style sheet travels inside each page: whatever single response survives an outage is
 * complete, and no page ever waits for, or outlives, a separate file.
 */
export const STYLE = compact(readFileSync(new URL('style.css', import.meta.url), 'utf8'));

const hash = createHash('sha256').update(STYLE).digest('base64');

/** No script at all, no style but ours, pictures from here or from an https address an author linked. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash}'`,
  "img-src 'self' https: data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
