// Which streams of the list are shown, and in which order.

import type { StreamInfo, StreamState } from "../../api/types.ts";
import type { Query } from "../../app/routes.ts";
import type { Watched } from "../../streams/health-watch.ts";
import { isHealth, videoCodec } from "../../streams/words.ts";

export type SortKey = "name" | "state" | "rate" | "retention" | "created";

export interface Choice {
  text: string;
  /** Value of the tag `site`. */
  site: string;
  state: StreamState | "";
  codec: string;
  sort: SortKey;
  isDescending: boolean;
}

const STATES: readonly string[] = ["LIVE", "SILENT", "REFUSED", "OFF"];
const SORTS: readonly string[] = ["name", "state", "rate", "retention", "created"];

export function choiceOf(query: Query): Choice {
  const sort = (query["sort"] ?? "name").replace(/^-/, "");
  const state = (query["state"] ?? "").toUpperCase();
  return {
    text: query["q"] ?? "",
    site: query["site"] ?? "",
    state: STATES.includes(state) ? (state as StreamState) : "",
    codec: query["codec"] ?? "",
    sort: SORTS.includes(sort) ? (sort as SortKey) : "name",
    isDescending: query["sort"]?.startsWith("-") ?? false,
  };
}

/** Health of streams out of view is asked for only when this needs it. */
export function needsHealth({ state, codec, sort }: Choice): boolean {
  return state !== "" || codec !== "" || sort === "state" || sort === "rate";
}

type Health = ReadonlyMap<string, Watched>;
type Tags = ReadonlyMap<string, Record<string, string>>;

const STATE_ORDER: Record<StreamState, number> = { REFUSED: 0, SILENT: 1, OFF: 2, LIVE: 3 };
const names = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export function choose(
  streams: readonly StreamInfo[], choice: Choice, health: Health, tags: Tags = new Map(),
): StreamInfo[] {
  const words = choice.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = streams.filter((stream) => {
    if (words.length > 0 && !matches(stream, words, tags.get(stream.StreamName))) return false;
    if (choice.site && tags.get(stream.StreamName)?.["site"] !== choice.site) return false;
    if (!choice.state && !choice.codec) return true;
    const entry = health.get(stream.StreamName)?.entry;
    if (!isHealth(entry)) return false;
    if (choice.state && entry.State !== choice.state) return false;
    return !choice.codec || videoCodec(entry) === choice.codec;
  });
  const sign = choice.isDescending ? -1 : 1;
  return found.sort((a, b) => sign * compare(a, b, choice.sort, health) || byName(a, b));
}

function matches(stream: StreamInfo, words: string[], tags: Record<string, string> = {}): boolean {
  const text = [stream.StreamName, stream.DeviceName ?? "", ...Object.entries(tags).map((tag) => tag.join("="))]
    .join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

function byName(a: StreamInfo, b: StreamInfo): number {
  return names.compare(a.StreamName, b.StreamName);
}

function compare(a: StreamInfo, b: StreamInfo, key: SortKey, health: Health): number {
  switch (key) {
    case "name": return byName(a, b);
    case "retention": return a.DataRetentionInHours - b.DataRetentionInHours;
    case "created": return a.CreationTime - b.CreationTime;
    case "state": return stateOrder(a, health) - stateOrder(b, health);
    case "rate": return rate(a, health) - rate(b, health);
  }
}

function stateOrder(stream: StreamInfo, health: Health): number {
  const entry = health.get(stream.StreamName)?.entry;
  return isHealth(entry) ? STATE_ORDER[entry.State] : 9;
}

function rate(stream: StreamInfo, health: Health): number {
  const entry = health.get(stream.StreamName)?.entry;
  return isHealth(entry) && entry.State === "LIVE" ? entry.BitsPerSecond ?? 0 : 0;
}

/** Which part of the choice hides everything: without it so many would match. */
export function blame(
  streams: readonly StreamInfo[], choice: Choice, health: Health, tags: Tags,
): { part: "site" | "state" | "codec" | "text"; count: number } | null {
  for (const [part, without] of [
    ["site", { ...choice, site: "" }], ["state", { ...choice, state: "" as const }], ["codec", { ...choice, codec: "" }], ["text", { ...choice, text: "" }],
  ] as const) {
    if (!choice[part]) continue;
    const count = choose(streams, without, health, tags).length;
    if (count > 0) return { part, count };
  }
  return null;
}

/** The sites that are known of, by name. */
export function sitesOf(tags: Tags): string[] {
  const sites = new Set([...tags.values()].flatMap(({ site }) => (site ? [site] : [])));
  return [...sites].sort(names.compare);
}

export function counts(streams: readonly StreamInfo[], health: Health): Record<StreamState, number> | null {
  const found: Record<StreamState, number> = { LIVE: 0, SILENT: 0, REFUSED: 0, OFF: 0 };
  let known = 0;
  for (const { StreamName } of streams) {
    const entry = health.get(StreamName)?.entry;
    if (!entry) continue;
    known += 1;
    if (isHealth(entry)) found[entry.State] += 1;
  }
  // Numbers of a part of the list would be no numbers of the list.
  return known >= streams.length && known > 0 ? found : null;
}
