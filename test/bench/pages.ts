/** The page every server is asked for first. */
export const HOT = '/posts/hot';

/** Pages below it are so small that ten thousand of them stay in the memory an isolate may keep (40 MB with 1 KiB each for metadata). */
export const SMALL = '/small/';
export const SMALL_BYTES = 2_000;
