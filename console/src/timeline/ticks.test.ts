import { describe, expect, test } from "vitest";

import { offsetAt } from "../time/zone.ts";
import { ticks } from "./ticks.ts";

const view = (from: string, to: string) => ({ from: Date.parse(from), to: Date.parse(to) });
const labels = (from: string, to: string, zone: string, count: number, locale = "en") =>
  ticks(view(from, to), zone, locale, count).map(({ label }) => label);

test("steps of a view", () => {
  expect(labels("2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z", "Europe/Berlin", 5)).toEqual([
    "14:00", "14:15", "14:30", "14:45", "15:00",
  ]);
  expect(labels("2026-11-20T13:00:00Z", "2026-11-20T13:00:02Z", "Asia/Kathmandu", 4)).toEqual([
    "18:45:00.0", "18:45:00.5", "18:45:01.0", "18:45:01.5", "18:45:02.0",
  ]);
  expect(labels("2026-11-20T13:00:00Z", "2026-11-23T13:00:00Z", "UTC", 4)).toEqual(["Nov 21", "Nov 22", "Nov 23"]);
  expect(labels("2026-09-20T13:00:00Z", "2027-01-20T13:00:00Z", "UTC", 5)).toEqual(["Oct 2026", "Nov 2026", "Dec 2026", "Jan 2027"]);
  expect(labels("2026-11-20T13:00:00Z", "2026-11-21T13:00:00Z", "Asia/Shanghai", 3, "zh-CN")).toEqual(["11月21日", "12:00"]);
});

describe("where the clocks change", () => {
  test("an hour that exists twice has its lines twice, and a day of 25 hours one day", () => {
    expect(labels("2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "Europe/Berlin", 3)).toEqual(["02:00", "02:00", "03:00"]);
    expect(labels("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Berlin", 5)).toEqual([
      "Oct 25", "06:00", "12:00", "18:00", "Oct 26",
    ]);
  });

  test("an hour that does not exist has no line", () => {
    expect(labels("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z", "Europe/Berlin", 3)).toEqual(["01:00", "03:00", "04:00"]);
    expect(labels("2026-03-08T04:00:00Z", "2026-03-08T10:00:00Z", "America/New_York", 3)).toEqual(["Mar 8", "04:00", "06:00"]);
  });

  test("hours stay whole where the clocks change by half of one", () => {
    expect(labels("2026-04-04T12:00:00Z", "2026-04-04T18:00:00Z", "Australia/Lord_Howe", 8)).toEqual([
      "23:00", "Apr 5", "01:00", "02:00", "03:00", "04:00",
    ]);
    // The step to the first line crosses the change.
    expect(labels("2026-04-04T14:50:00Z", "2026-04-04T18:00:00Z", "Australia/Lord_Howe", 4)).toEqual(["02:00", "03:00", "04:00"]);
  });

  test("lines are round by the clocks of the zone, rise, and are not too many", () => {
    for (const zone of ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]) {
      for (const change of ["2026-03-08T07:00:00Z", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-04-04T15:00:00Z"]) {
        for (let span = 2000; span < 731 * 86_400_000; span *= 2.7) {
          const around = { from: Date.parse(change) - span / 2, to: Date.parse(change) + span / 2 };
          const found = ticks(around, zone, "en", 12);
          // A whole step may not fit between two lines.
          expect(found.length).toBeLessThanOrEqual(16);
          for (const [index, tick] of found.entries()) {
            expect(tick.at).toBeGreaterThan(found[index - 1]?.at ?? around.from - 1);
            if (span > 3_600_000) expect((tick.at + offsetAt(tick.at, zone)) % 60_000).toBe(0);
          }
        }
      }
    }
  });
});
