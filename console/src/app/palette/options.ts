// What a text in the palette may mean: a moment of a stream, a stream, a page.

import type { StreamInfo } from "../../api/types.ts";
import { type Indexed, find, isStreamName } from "../../streams/find.ts";
import { type SplitText, type Understood, splitTime } from "../../time/parse.ts";

export type Option =
  /** `understood` is null until the zone of the stream is known. */
  | { kind: "moment"; name: string; understood: Understood | null }
  | { kind: "stream"; name: string }
  | { kind: "page"; page: string };

export interface PageName {
  page: string;
  /** As the language has it. */
  label: string;
}

export interface Surroundings {
  index: readonly Indexed<Pick<StreamInfo, "StreamName" | "DeviceName">>[];
  /** The list has all streams: a name that is not in it is none. */
  isComplete: boolean;
  pages: readonly PageName[];
  /** The stream of the page: a time alone is one of it. */
  here: string | null;
  now: number;
  /** What is on the screen: a time without a date is of that day. */
  shown: number | null;
  /** Of a stream; undefined while it is not known. */
  zoneOf: (name: string) => string | undefined;
  /** To find the time in the text; not to understand it. */
  zone: string;
}

export const MOST = 50;
const PAGES_MOST = 5;

export function optionsFor(text: string, around: Surroundings): Option[] {
  const trimmed = text.trim();
  const split = timeIn(trimmed, around);
  const moments = split ? momentsOf(trimmed, split, around) : [];
  const streams = streamsOf(trimmed, around).map(toStream);
  const guesses = guessOf(trimmed, around).map(toStream);
  const wanted = trimmed.toLowerCase();
  const pages = around.pages
    .filter(({ page, label }) => page.startsWith(wanted) || label.toLowerCase().startsWith(wanted))
    .slice(0, PAGES_MOST)
    .map(({ page }) => ({ kind: "page", page }) as const);
  // With nothing written, places to go come first; a name that is written is most likely a stream's.
  return trimmed === "" ? [...pages, ...streams] : [...moments, ...streams, ...pages, ...guesses];
}

const toStream = (name: string) => ({ kind: "stream", name }) as const;

/** A time at the end or start of the text, or the whole of it. */
export function timeIn(text: string, { now, shown, zone }: Pick<Surroundings, "now" | "shown" | "zone">): SplitText | null {
  const split = splitTime(text, { now, zone, ...(shown === null ? {} : { shown }) });
  return split && split.time.kind !== "unreadable" ? split : null;
}

function momentsOf(text: string, split: SplitText, around: Surroundings): Option[] {
  const names = split.rest === "" ? (around.here === null ? [] : [around.here])
    : [...streamsOf(split.rest, around), ...guessOf(split.rest, around)];
  return names.map((name) => {
    const zone = around.zoneOf(name);
    const understood = zone === undefined ? null : timeIn(text, { ...around, zone })?.time ?? null;
    return { kind: "moment", name, understood };
  });
}

function streamsOf(text: string, { index }: Surroundings): string[] {
  return find(index, text, MOST).map(({ StreamName }) => StreamName);
}

/** Whoever may not list streams, or has no list yet, may open one by its name. */
function guessOf(text: string, { index, isComplete }: Surroundings): string[] {
  return !isComplete && isStreamName(text) && !index.some(({ stream }) => stream.StreamName === text) ? [text] : [];
}
