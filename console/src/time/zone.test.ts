import { describe, expect, test } from "vitest";

import { firstInstant, instantsOf, isWall, isZone, offsetAt, skipOver, startOfDay, utcOf, wallAt, wallOfUtc } from "./zone.ts";

const iso = (text: string) => Date.parse(text);
const wall = (text: string) => wallOfUtc(iso(`${text}Z`));
const H = 3_600_000;

describe("offsetAt and wallAt", () => {
  test.each([
    ["UTC", "2026-11-20T13:05:00.480Z", 0, "2026-11-20T13:05:00.480"],
    ["Europe/Berlin", "2026-03-29T00:59:59.999Z", 1, "2026-03-29T01:59:59.999"],
    ["Europe/Berlin", "2026-03-29T01:00:00Z", 2, "2026-03-29T03:00:00"],
    ["Europe/Berlin", "2026-10-25T00:59:59Z", 2, "2026-10-25T02:59:59"],
    ["Europe/Berlin", "2026-10-25T01:00:00Z", 1, "2026-10-25T02:00:00"],
    ["America/New_York", "2026-03-08T06:59:59Z", -5, "2026-03-08T01:59:59"],
    ["America/New_York", "2026-03-08T07:00:00Z", -4, "2026-03-08T03:00:00"],
    ["America/New_York", "2026-11-01T05:59:59Z", -4, "2026-11-01T01:59:59"],
    ["America/New_York", "2026-11-01T06:00:00Z", -5, "2026-11-01T01:00:00"],
    ["Asia/Shanghai", "2026-11-20T16:30:00Z", 8, "2026-11-21T00:30:00"],
    ["Asia/Kathmandu", "2026-11-20T00:00:00Z", 5.75, "2026-11-20T05:45:00"],
    ["Australia/Lord_Howe", "2026-01-01T00:00:00Z", 11, "2026-01-01T11:00:00"],
  ])("%s %s", (zone, at, hours, shown) => {
    expect(offsetAt(iso(at), zone)).toBe(hours * H);
    expect(wallAt(iso(at), zone)).toEqual(wall(shown));
  });
});

describe("instantsOf", () => {
  test.each([
    ["Europe/Berlin", "2026-10-25T01:59:59", ["2026-10-24T23:59:59Z"]],
    ["Europe/Berlin", "2026-10-25T02:30:00", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]],
    ["Europe/Berlin", "2026-10-25T03:00:00", ["2026-10-25T02:00:00Z"]],
    ["Europe/Berlin", "2026-03-29T02:00:00", []],
    ["Europe/Berlin", "2026-03-29T02:59:59.999", []],
    ["Europe/Berlin", "2026-03-29T03:00:00", ["2026-03-29T01:00:00Z"]],
    ["America/New_York", "2026-11-01T01:00:00", ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"]],
    ["America/New_York", "2026-11-01T02:00:00", ["2026-11-01T07:00:00Z"]],
    ["America/New_York", "2026-03-08T02:30:00", []],
    ["Australia/Lord_Howe", "2026-04-05T01:45:00", ["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"]],
    ["UTC", "2026-03-29T02:30:00", ["2026-03-29T02:30:00Z"]],
  ])("%s %s", (zone, text, instants) => {
    expect(instantsOf(wall(text), zone)).toEqual(instants.map(iso));
  });

  test("undoes wallAt for every quarter of an hour around the changes", () => {
    for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]) {
      for (const start of ["2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31"]) {
        for (let at = iso(start); at < iso(start) + 48 * H; at += H / 4) {
          expect(instantsOf(wallAt(at, zone), zone)).toContain(at);
        }
      }
    }
  });
});

test("skipOver names the change", () => {
  expect(skipOver(wall("2026-03-29T02:30:00"), "Europe/Berlin")).toEqual({
    at: iso("2026-03-29T01:00:00Z"),
    before: wall("2026-03-29T02:00:00"),
    after: wall("2026-03-29T03:00:00"),
  });
  expect(skipOver(wall("2026-03-08T02:00:00"), "America/New_York").at).toBe(iso("2026-03-08T07:00:00Z"));
  // A whole day that was left out.
  expect(skipOver(wall("2011-12-30T12:00:00"), "Pacific/Apia")).toEqual({
    at: iso("2011-12-30T10:00:00Z"),
    before: wall("2011-12-30T00:00:00"),
    after: wall("2011-12-31T00:00:00"),
  });
});

test("startOfDay", () => {
  const at = iso("2026-10-25T12:00:00Z");
  expect(startOfDay(at, "Europe/Berlin")).toBe(iso("2026-10-24T22:00:00Z"));
  expect(startOfDay(at, "Europe/Berlin", 1)).toBe(iso("2026-10-25T23:00:00Z"));
  // Midnight does not exist there.
  expect(startOfDay(iso("2026-04-24T12:00:00Z"), "Africa/Cairo")).toBe(iso("2026-04-23T22:00:00Z"));
  expect(firstInstant(wall("2026-03-29T02:30:00"), "Europe/Berlin")).toBe(iso("2026-03-29T01:00:00Z"));
});

test("isWall and isZone", () => {
  expect(isWall(wall("2026-02-28T23:59:59"))).toBe(true);
  expect(isWall({ ...wall("2026-02-28T00:00:00"), day: 29 })).toBe(false);
  expect(isWall({ ...wall("2026-02-28T00:00:00"), hour: 24 })).toBe(false);
  expect(isZone("Europe/Berlin")).toBe(true);
  expect(isZone("Europe/Nowhere")).toBe(false);
  expect(utcOf(wall("2026-02-28T00:00:00"))).toBe(iso("2026-02-28T00:00:00Z"));
});
