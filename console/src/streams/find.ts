// Streams by a few letters of their name: whole names and words before beginnings, beginnings before parts; and
// after those by the values of their tags.

import type { StreamInfo } from "../api/types.ts";

type Named = Pick<StreamInfo, "StreamName" | "DeviceName">;

export interface Indexed<Stream extends Named = StreamInfo> {
  stream: Stream;
  /** The name without what separates its words: `gate3`. */
  squashed: string;
  /** `gate`, `3`. */
  words: string[];
  deviceWords: string[];
  /** Of the values of its tags. */
  tagWords: string[];
}

/** In order of names, numbers in them as numbers. Made once for a list, not for each key. */
export function indexOf<Stream extends Named>(
  streams: readonly Stream[], tags: ReadonlyMap<string, Record<string, string>> = new Map(),
): Indexed<Stream>[] {
  return streams
    .map((stream) => {
      const words = wordsOf(stream.StreamName);
      const deviceWords = stream.DeviceName ? wordsOf(stream.DeviceName) : [];
      const tagWords = Object.values(tags.get(stream.StreamName) ?? {}).flatMap(wordsOf);
      return { stream, squashed: words.join(""), words, deviceWords, tagWords, order: words.map(padded).join(" ") };
    })
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}

/** How well: less is better. */
const RANKS = 8;
const NONE = RANKS;

export function find<Stream extends Named>(index: readonly Indexed<Stream>[], text: string, most: number): Stream[] {
  const words = wordsOf(text);
  if (words.length === 0) return index.slice(0, most).map(({ stream }) => stream);
  const squashed = words.join("");
  const found: Stream[][] = Array.from({ length: RANKS }, () => []);
  for (const one of index) {
    const rank = rankOf(one, words, squashed);
    const of = found[rank];
    if (of && of.length < most) of.push(one.stream);
  }
  return found.flat().slice(0, most);
}

function rankOf(one: Indexed<Named>, words: readonly string[], squashed: string): number {
  if (one.squashed === squashed) return 0;
  if (inOrder(one.words, words, (own, word) => own === word)) return 1;
  if (one.squashed.startsWith(squashed)) return 2;
  if (inOrder(one.words, words, begins)) return 3;
  if (words.every((word) => one.words.some((own) => begins(own, word)))) return 4;
  if (words.every((word) => one.squashed.includes(word))) return 5;
  if (words.every((word) => one.deviceWords.some((own) => begins(own, word)))) return 6;
  // "north gate": the site, and a part of the name.
  const either = [...one.words, ...one.tagWords];
  if (one.tagWords.length > 0 && words.every((word) => either.some((own) => begins(own, word)))) return 7;
  return NONE;
}

const begins = (own: string, word: string) => own.startsWith(word);

/** Each word fits one of the name, in the same order. */
function inOrder(own: readonly string[], words: readonly string[], fits: (own: string, word: string) => boolean): boolean {
  let at = 0;
  for (const word of words) {
    while (at < own.length && !fits(own[at] ?? "", word)) at += 1;
    if (at++ >= own.length) return false;
  }
  return true;
}

/** Letters and digits; a number is a word of its own, so that `gate3` and `gate 3` are one. */
function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(/\p{N}+|[\p{L}\p{M}]+/gu) ?? [];
}

function padded(word: string): string {
  return /^\d/.test(word) ? word.padStart(12, "0") : word;
}

/** Names as KVS has them. */
export function isStreamName(text: string): boolean {
  return /^[a-zA-Z0-9_.-]{1,256}$/.test(text);
}
