import { expect, it } from "vitest";
import { find, indexOf, isStreamName } from "./find.ts";

const stream = (StreamName: string, DeviceName: string | null = null) => ({ StreamName, DeviceName });
const INDEX = indexOf([
  stream("gate-30"), stream("gate-3"), stream("gate-13"), stream("north_gate.3"), stream("hall"), stream("dock-cam", "axis-3"),
  stream("navigate3d"),
]);
const names = (text: string, most = 50) => find(INDEX, text, most).map(({ StreamName }) => StreamName);

it("puts the whole name first, then beginnings, then words", () => {
  expect(names("gate 3")).toEqual(["gate-3", "north_gate.3", "gate-30", "gate-13", "navigate3d"]);
  expect(names("Gate-3")[0]).toBe("gate-3");
  expect(names("gate3")[0]).toBe("gate-3");
  expect(names("3 gate")).toEqual(["gate-3", "gate-30", "north_gate.3", "gate-13", "navigate3d"]);
  expect(names("ga 1")).toEqual(["gate-13"]);
});

it("finds by device name last, and nothing where nothing is", () => {
  expect(names("axis")).toEqual(["dock-cam"]);
  expect(names("xyz")).toEqual([]);
  expect(names("三号门")).toEqual([]);
});

it("finds by the values of tags after all that is in names", () => {
  const index = indexOf([stream("gate-3"), stream("north-gate"), stream("hall")], new Map<string, Record<string, string>>([
    ["gate-3", { site: "North yard", zone: "Asia/Shanghai" }], ["hall", { site: "南门" }],
  ]));
  const found = (text: string) => find(index, text, 50).map(({ StreamName }) => StreamName);
  expect(found("north")).toEqual(["north-gate", "gate-3"]);
  expect(found("yard gate")).toEqual(["gate-3"]);
  expect(found("南门")).toEqual(["hall"]);
  expect(found("south")).toEqual([]);
});

it("lists all by number for no text", () => {
  expect(names("")).toEqual(["dock-cam", "gate-3", "gate-13", "gate-30", "hall", "navigate3d", "north_gate.3"]);
  expect(names(" - ", 2)).toEqual(["dock-cam", "gate-3"]);
});

it("is quick among ten thousand", () => {
  const many = indexOf(Array.from({ length: 10_000 }, (_, n) => stream(`site-${n % 40}-camera-${n}`)));
  const begun = performance.now();
  for (const text of ["s", "si", "sit", "site 3", "site 3 cam", "camera 77", "zzz", "9999"]) find(many, text, 50);
  const each = (performance.now() - begun) / 8;
  expect(find(many, "camera 77", 50)[0]?.StreamName).toBe("site-37-camera-77");
  // A key is answered within a frame; here with room for a busy machine.
  expect(each).toBeLessThan(60);
});

it("knows names", () => {
  expect(["gate-3", "a.b_c"].every(isStreamName)).toBe(true);
  expect(["gate 3", "", "三号门", "a".repeat(257)].some(isStreamName)).toBe(false);
});
