import { expect, it } from "vitest";
import { indexOf } from "../../streams/find.ts";
import { type Surroundings, optionsFor } from "./options.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const AROUND: Surroundings = {
  index: indexOf(["gate-3", "gate-30", "hall", "settings-room"].map((StreamName) => ({ StreamName, DeviceName: null }))),
  isComplete: true, here: null, now: NOW, shown: null, zone: "UTC",
  pages: [{ page: "wall", label: "Wall" }, { page: "streams", label: "流" }, { page: "settings", label: "Settings" }],
  zoneOf: () => "Asia/Shanghai",
};
const said = (text: string, patch: Partial<Surroundings> = {}) => optionsFor(text, { ...AROUND, ...patch }).map((option) => {
  if (option.kind === "page") return option.page;
  if (option.kind === "stream") return option.name;
  const { understood } = option;
  return `${option.name} ${understood?.kind === "instant" ? new Date(understood.instants[0]).toISOString() : understood?.kind ?? "?"}`;
});

it("understands a stream and a time in one text, in the stream's zone", () => {
  expect(said("gate 3 14:05")).toEqual(["gate-3 2026-11-20T06:05:00.000Z", "gate-30 2026-11-20T06:05:00.000Z"]);
  expect(said("gate-3 yesterday 14:05")[0]).toBe("gate-3 2026-11-19T06:05:00.000Z");
  expect(said("昨天 14:05 gate-3")[0]).toBe("gate-3 2026-11-19T06:05:00.000Z");
  expect(said("昨天14:05 gate-3")[0]).toBe("gate-3 2026-11-19T06:05:00.000Z");
  expect(said("gate 3 -15m")[0]).toBe("gate-3 2026-11-20T11:45:00.000Z");
});

it("takes a time alone as one of the stream that is looked at", () => {
  expect(said("14:05")).toEqual([]);
  expect(said("14:05", { here: "hall" })).toEqual(["hall 2026-11-20T06:05:00.000Z"]);
  expect(said("14:05", { here: "hall", shown: NOW - 3 * 86_400_000 })).toEqual(["hall 2026-11-17T06:05:00.000Z"]);
});

it("waits with the time until the zone is known", () => {
  expect(said("gate 3 14:05", { zoneOf: () => undefined })[0]).toBe("gate-3 ?");
  expect(said("gate-3 02:30 2026-03-29", { zoneOf: () => "Europe/Berlin" })).toEqual([]);
  expect(said("gate-3 2026-03-29 02:30", { zoneOf: () => "Europe/Berlin" })[0]).toBe("gate-3 missing");
});

it("finds streams and pages", () => {
  expect(said("set")).toEqual(["settings-room", "settings"]);
  expect(said("流")).toEqual(["streams"]);
  expect(said("")).toEqual(["wall", "streams", "settings", "gate-3", "gate-30", "hall", "settings-room"]);
  expect(said("nobody")).toEqual([]);
});

it("opens by name who may not list", () => {
  const denied = { index: [], isComplete: false };
  expect(said("nobody", denied)).toEqual(["nobody"]);
  expect(said("settings", denied)).toEqual(["settings", "settings"]);
  expect(optionsFor("settings", { ...AROUND, ...denied })[0]?.kind).toBe("page");
  expect(said("nobody 14:05", denied)).toEqual(["nobody 2026-11-20T06:05:00.000Z"]);
  expect(said("no body", denied)).toEqual([]);
});
