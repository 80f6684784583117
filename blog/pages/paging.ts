/** Number of pages a list fills; an empty list still has one. */
export function pageCount(items: number, perPage: number): number {
  return Math.max(1, Math.ceil(items / perPage));
}

export interface Slice<T> {
  readonly items: readonly T[];
  /** 1-based. */
  readonly page: number;
  readonly pages: number;
}

/** One page of a list, or nothing where there is no such page. */
export function slicePage<T>(items: readonly T[], page: number, perPage: number): Slice<T> | undefined {
  const pages = pageCount(items.length, perPage);
  if (!Number.isInteger(page) || page < 1 || page > pages) return undefined;
  return { items: items.slice((page - 1) * perPage, page * perPage), page, pages };
}
