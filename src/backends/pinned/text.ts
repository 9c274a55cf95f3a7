/** Iterators that print text: their links are read by shells, under these names. */
export const TEXT_STREAMS: ReadonlyMap<string, string> = new Map([
  ['text_fds', 'fds'],
  ['text_ps', 'ps'],
]);
