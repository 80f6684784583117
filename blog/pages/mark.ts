import { trusted } from './markup.ts';

const SHAPES = {
  chain: 'M16-60V6.5',
  hook: 'M16 2v4.5',
  cap: 'M5.5 14 16 6.5 26.5 14z',
  glass: 'M8.5 14h15l-2.2 17h-10.6z',
  base: 'M9.5 31h13v4.5h-13z',
};

/** The porch light, on a chain from the upper edge of the page. Its colours come from the page: unlit by day, lit by night. */
export const MARK = trusted(
  `<svg class="mark" viewBox="0 0 32 40" aria-hidden="true"><path class="glass" d="${SHAPES.glass}"/>` +
    `<circle class="bulb" cx="16" cy="22" r="3.6"/><path d="${SHAPES.chain}"/><path d="${SHAPES.cap}"/><path d="${SHAPES.base}"/></svg>`,
);

/** The same as a stand-alone picture for the browser's tab. */
export const FAVICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 0 40 40"><style>path{stroke:#1b2730;stroke-width:2.4;stroke-linejoin:round;fill:none}' +
  '@media(prefers-color-scheme:dark){path{stroke:#dadcd6}}</style>' +
  `<path d="${SHAPES.glass}" style="fill:#ffd890"/><circle cx="16" cy="22" r="4" fill="#d98a1f"/>` +
  `<path d="${SHAPES.hook}${SHAPES.cap}${SHAPES.base}"/></svg>`;
