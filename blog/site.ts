/** What the site calls itself. Handed in where pages and feeds are made. */
export interface Site {
  readonly title: string;
  readonly description: string;
  readonly author: string;
  /** BCP 47. */
  readonly language: string;
  /** Origin of every absolute address, without a trailing slash; never taken from a request. */
  readonly baseUrl: string;
  readonly postsPerPage: number;
}

export const DEFAULT_SITE: Omit<Site, 'baseUrl'> = {
  title: 'Porchlight',
  description: 'Notes on keeping a blog alight that lives on a mini PC at home.',
  author: 'The Porchlight keeper',
  language: 'en',
  postsPerPage: 8,
};
