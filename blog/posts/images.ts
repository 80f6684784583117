import { createHash } from 'node:crypto';
import { posix } from 'node:path';

/** A picture as readers get it: under a stable address, and under one that names its content. */
export interface Image {
  /** Path relative to the content directory. */
  readonly file: string;
  readonly stableUrl: string;
  readonly hashedUrl: string;
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Pixel size from an SVG's viewBox, so that the page does not jump while pictures load. */
  readonly size?: { readonly width: number; readonly height: number };
  readonly modified: number;
}

const TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.gif': 'image/gif',
};

export function isImageFile(file: string): boolean {
  return posix.extname(file).toLowerCase() in TYPES;
}

/** `images/tiers.svg` is served at `/images/tiers.svg` and `/assets/tiers.0f3a….svg`; the folder `images/` is implied. */
export function describeImage(file: string, body: Uint8Array<ArrayBuffer>, modified: number): Image {
  const extension = posix.extname(file);
  const name = file.replace(/^images\//, '');
  const stem = encodePath(name.slice(0, name.length - extension.length));
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const size =
    extension.toLowerCase() === '.svg' ? svgSize(new TextDecoder().decode(body.subarray(0, 2_000))) : undefined;
  return {
    file,
    stableUrl: `/images/${stem}${extension}`,
    hashedUrl: `/assets/${stem}.${hash}${extension}`,
    type: TYPES[extension.toLowerCase()] ?? 'application/octet-stream',
    body,
    modified,
    ...(size === undefined ? {} : { size }),
  };
}

/** The stable address behind a hashed one whose content has since changed, or nothing if it is not of that form. */
export function stableUrlOf(hashedUrl: string): string | undefined {
  const match = /^\/assets\/(.+)\.[0-9a-f]{16}(\.[A-Za-z]+)$/.exec(hashedUrl);
  return match ? `/images/${match[1]}${match[2]}` : undefined;
}

/** Where a reference written in `postFile` points, relative to the content directory; nothing if it leaves it. */
export function resolveImage(postFile: string, reference: string): string | undefined {
  const path = decodePath(reference.replace(/[?#].*$/s, ''));
  if (path === undefined) return undefined;
  const target = posix.normalize(path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(postFile), path));
  return target.startsWith('../') ? undefined : target;
}

function svgSize(svg: string): { width: number; height: number } | undefined {
  const box = /viewBox\s*=\s*["']\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)/.exec(svg);
  const width = Math.round(Number(box?.[1]));
  const height = Math.round(Number(box?.[2]));
  return width > 0 && height > 0 ? { width, height } : undefined;
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
