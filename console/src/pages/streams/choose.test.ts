import { expect, it } from "vitest";
import type { HealthEntry, StreamInfo, StreamState } from "../../api/types.ts";
import type { Watched } from "../../streams/health-watch.ts";
import { blame, choiceOf, choose, counts, needsHealth, sitesOf } from "./choose.ts";

const stream = (StreamName: string, DataRetentionInHours = 24) =>
  ({ StreamName, DataRetentionInHours, DeviceName: null, CreationTime: 0 }) as StreamInfo;
const watched = (State: StreamState, BitsPerSecond = 0): Watched => ({
  entry: { Error: null, State, BitsPerSecond, CodecIds: ["V_MPEG4/ISO/AVC"] } as unknown as HealthEntry,
  rates: null,
});
const STREAMS = [stream("gate-10"), stream("gate-2", 48), stream("hall")];
const HEALTH = new Map([
  ["gate-10", watched("LIVE", 5)], ["gate-2", watched("OFF")], ["hall", watched("SILENT")],
]);
const names = (query: Record<string, string>, tags = new Map<string, Record<string, string>>()) =>
  choose(STREAMS, choiceOf(query), HEALTH, tags).map(({ StreamName }) => StreamName);

it("orders numbers in names as numbers", () => {
  expect(names({})).toEqual(["gate-2", "gate-10", "hall"]);
  expect(names({ sort: "-name" })).toEqual(["hall", "gate-10", "gate-2"]);
});

it("filters by all words, state, codec and tags", () => {
  expect(names({ q: "GATE 10" })).toEqual(["gate-10"]);
  expect(names({ state: "off" })).toEqual(["gate-2"]);
  expect(names({ codec: "H.265" })).toEqual([]);
  expect(names({ q: "site=north" }, new Map([["hall", { site: "north" }]]))).toEqual(["hall"]);
});

const SITES = new Map<string, Record<string, string>>([["gate-2", { site: "north" }], ["gate-10", { site: "south 2" }], ["hall", { site: "north" }]]);

it("filters by site, as far as tags are known", () => {
  expect(names({ site: "north" }, SITES)).toEqual(["gate-2", "hall"]);
  expect(names({ site: "north", q: "gate" }, SITES)).toEqual(["gate-2"]);
  expect(names({ site: "nort" }, SITES)).toEqual([]);
  expect(names({ site: "north" })).toEqual([]);
  expect(sitesOf(new Map([...SITES, ["dock", {}], ["attic", { site: "south 10" }]]))).toEqual(["north", "south 2", "south 10"]);
});

it("puts trouble first by state", () => {
  expect(names({ sort: "state" })).toEqual(["hall", "gate-2", "gate-10"]);
  expect(names({ sort: "-rate" })[0]).toBe("gate-10");
});

it("ignores what it does not know", () => {
  expect(choiceOf({ sort: "color", state: "asleep" })).toMatchObject({ sort: "name", state: "" });
  expect(needsHealth(choiceOf({}))).toBe(false);
  expect(needsHealth(choiceOf({ sort: "-state" }))).toBe(true);
});

it("says which filter hides all", () => {
  expect(blame(STREAMS, choiceOf({ q: "gate", state: "silent" }), HEALTH, new Map())).toEqual({ part: "state", count: 2 });
  expect(blame(STREAMS, choiceOf({ q: "gate", site: "east" }), HEALTH, SITES)).toEqual({ part: "site", count: 2 });
  expect(blame(STREAMS, choiceOf({ state: "off", site: "south 2" }), HEALTH, SITES)).toEqual({ part: "site", count: 1 });
  expect(blame(STREAMS, choiceOf({ q: "xyz" }), HEALTH, new Map())).toEqual({ part: "text", count: 3 });
  expect(blame([], choiceOf({ q: "xyz" }), HEALTH, new Map())).toBe(null);
});

it("counts only when it knows all", () => {
  expect(counts(STREAMS, HEALTH)).toEqual({ LIVE: 1, SILENT: 1, REFUSED: 0, OFF: 1 });
  expect(counts([...STREAMS, stream("new")], HEALTH)).toBe(null);
});

it("chooses among ten thousand", () => {
  const many = Array.from({ length: 10_000 }, (_, n) => stream(`camera-${n}`));
  expect(choose(many, choiceOf({ q: "camera 99" }), new Map())).toHaveLength(280);
});
