import { describe, expect, test } from "vitest";

import { parseTime, splitTime } from "./parse.ts";
import { wallOfUtc } from "./zone.ts";

const iso = (text: string) => Date.parse(text);
const NOW = iso("2026-11-20T13:10:00Z");
const berlin = { now: NOW, zone: "Europe/Berlin" };
const newYork = { now: NOW, zone: "America/New_York" };
const shanghai = { now: NOW, zone: "Asia/Shanghai" };

describe("one instant", () => {
  test.each([
    ["14:05", berlin, "2026-11-20T13:05:00Z", "clock"],
    ["14:05:30", berlin, "2026-11-20T13:05:30Z", "clock"],
    ["14:05:30.25", berlin, "2026-11-20T13:05:30.250Z", "clock"],
    ["１４：０５", berlin, "2026-11-20T13:05:00Z", "clock"],
    ["8:05", newYork, "2026-11-20T13:05:00Z", "clock"],
    // Later today: the last such time.
    ["14:15", berlin, "2026-11-19T13:15:00Z", "clock"],
    ["23:00", shanghai, "2026-11-19T15:00:00Z", "clock"],
    ["today 14:15", berlin, "2026-11-20T13:15:00Z", "clock"],
    ["14:05", { ...berlin, shown: iso("2026-11-02T09:00:00Z") }, "2026-11-02T13:05:00Z", "clock"],
    ["yesterday 14:05", berlin, "2026-11-19T13:05:00Z", "yesterday"],
    ["Yesterday  14:05", { ...berlin, shown: iso("2026-11-02T09:00:00Z") }, "2026-11-19T13:05:00Z", "yesterday"],
    ["昨天14:05", shanghai, "2026-11-19T06:05:00Z", "yesterday"],
    ["昨天 14：05", shanghai, "2026-11-19T06:05:00Z", "yesterday"],
    ["前天14:05", shanghai, "2026-11-18T06:05:00Z", "yesterday"],
    ["今天14:05", shanghai, "2026-11-20T06:05:00Z", "clock"],
    ["yesterday", berlin, "2026-11-18T23:00:00Z", "date"],
    ["-15m", berlin, "2026-11-20T12:55:00Z", "ago"],
    ["−15m", berlin, "2026-11-20T12:55:00Z", "ago"],
    ["-1h30m", berlin, "2026-11-20T11:40:00Z", "ago"],
    ["-1.5h", berlin, "2026-11-20T11:40:00Z", "ago"],
    ["-30 s", berlin, "2026-11-20T13:09:30Z", "ago"],
    ["-2d", berlin, "2026-11-18T13:10:00Z", "ago"],
    ["15分钟前", shanghai, "2026-11-20T12:55:00Z", "ago"],
    ["now", berlin, "2026-11-20T13:10:00Z", "now"],
    ["2026-11-20T06:05:00.000Z", berlin, "2026-11-20T06:05:00Z", "iso"],
    ["2026-11-20t06:05z", berlin, "2026-11-20T06:05:00Z", "iso"],
    ["2026-11-20 07:05:00+01:00", newYork, "2026-11-20T06:05:00Z", "iso"],
    ["2026-11-20T07:05:00+0100", newYork, "2026-11-20T06:05:00Z", "iso"],
    ["2026-11-20T07:05+01", newYork, "2026-11-20T06:05:00Z", "iso"],
    ["2026-11-20T01:05:00,480-05:00", berlin, "2026-11-20T06:05:00.480Z", "iso"],
    ["2026-11-20T06:05:00.123456Z", berlin, "2026-11-20T06:05:00.123Z", "iso"],
    ["2026-11-20T07:05:00+01:00[Europe/Berlin]", newYork, "2026-11-20T06:05:00Z", "iso"],
    ["20261120T060500Z", berlin, "2026-11-20T06:05:00Z", "iso"],
    ["2026-11-20T07:05", berlin, "2026-11-20T06:05:00Z", "date"],
    ["2026-11-20 07:05 America/New_York", berlin, "2026-11-20T12:05:00Z", "date"],
    ["2026-11-20 07:05 UTC", berlin, "2026-11-20T07:05:00Z", "date"],
    ["13:05 UTC", berlin, "2026-11-20T13:05:00Z", "clock"],
    ["2026年11月20日 14:05", shanghai, "2026-11-20T06:05:00Z", "date"],
    ["2026年11月20日14:05", shanghai, "2026-11-20T06:05:00Z", "date"],
    ["2026-11-20", berlin, "2026-11-19T23:00:00Z", "date"],
    ["2026-04-24", { ...berlin, zone: "Africa/Cairo" }, "2026-04-23T22:00:00Z", "date"],
    ["1795166438", berlin, "2026-11-20T09:20:38Z", "epoch-s"],
    ["1795166438.482", berlin, "2026-11-20T09:20:38.482Z", "epoch-s"],
    ["1795166438482", berlin, "2026-11-20T09:20:38.482Z", "epoch-ms"],
    // With a zone of its own there is nothing to choose and nothing that does not exist.
    ["2026-10-25T02:30:00+02:00", berlin, "2026-10-25T00:30:00Z", "iso"],
    ["2026-03-29T02:30:00Z", berlin, "2026-03-29T02:30:00Z", "iso"],
  ])("%s", (text, context, expected, form) => {
    expect(parseTime(text, context)).toMatchObject({ kind: "instant", form, instants: [iso(expected)] });
  });
});

describe("an hour that exists twice", () => {
  test.each([
    ["2026-10-25 02:30", berlin, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"],
    ["02:00", { ...berlin, now: iso("2026-10-25T12:00:00Z") }, "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"],
    ["yesterday 02:59:59", { ...berlin, now: iso("2026-10-26T12:00:00Z") }, "2026-10-25T00:59:59Z", "2026-10-25T01:59:59Z"],
    ["2026-11-01 01:30", newYork, "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"],
  ])("%s", (text, context, first, second) => {
    expect(parseTime(text, context)).toMatchObject({ kind: "instant", instants: [iso(first), iso(second)] });
  });

  test.each(["2026-10-25 01:59", "2026-10-25 03:00"])("%s exists once", (text) => {
    expect(parseTime(text, berlin)).toMatchObject({ kind: "instant", instants: { length: 1 } });
  });
});

describe("an hour that does not exist", () => {
  test.each([
    ["2026-03-29 02:30", berlin, "2026-03-29T01:00:00Z", "02:00", "03:00"],
    ["昨天02:00", { ...berlin, now: iso("2026-03-30T12:00:00Z") }, "2026-03-29T01:00:00Z", "02:00", "03:00"],
    ["2026-03-08 02:59:59", newYork, "2026-03-08T07:00:00Z", "02:00", "03:00"],
  ])("%s", (text, context, at, before, after) => {
    const day = text.includes("-08") ? "2026-03-08" : "2026-03-29";
    expect(parseTime(text, context)).toMatchObject({
      kind: "missing",
      skip: { at: iso(at), before: wallOfUtc(iso(`${day}T${before}Z`)), after: wallOfUtc(iso(`${day}T${after}Z`)) },
    });
  });
});

test("fragment numbers: ours say when, others do not", () => {
  // 0x1000, 1,795,166,438,482 ms, epoch 7, sequence 42.
  const ours = ((0x1000n << 112n) | (1_795_166_438_482n << 64n) | (7n << 40n) | 42n).toString();
  expect(parseTime(ours, berlin)).toEqual({
    kind: "fragment", form: "fragment", number: ours, instant: 1_795_166_438_482, zone: "Europe/Berlin",
  });
  const theirs = "91343852333181432392682062622220590765191907586";
  expect(parseTime(` ${theirs} `, berlin)).toMatchObject({ kind: "fragment", number: theirs, instant: null });
});

describe("unreadable", () => {
  test.each([
    ["", "empty"], ["   ", "empty"],
    ["gate", "form"], ["3", "form"], ["14", "form"], ["12345678", "form"], ["123456789012345678", "form"],
    ["14:05x", "form"], ["+15m", "form"], ["-15", "form"], ["-15q", "form"], ["2026-11", "form"], ["--15m", "form"],
    ["2026-11-20T", "form"], ["2026-11-20+01:00", "form"],
    ["24:00", "range"], ["14:60", "range"], ["14:05:60", "range"], ["yesterday 25:00", "range"],
    ["2026-02-29 10:00", "range"], ["2026-13-01", "range"], ["2026-11-20T10:00+99:00", "range"],
    ["14:05 Mars/Olympus", "range"], ["0001-01-01T00:00Z", "range"], ["-99999999d", "range"],
  ])("%j: %s", (text, why) => {
    expect(parseTime(text, berlin)).toEqual({ kind: "unreadable", why });
  });

  test("any text is answered", () => {
    const pieces = ["昨天", "14:05", ":", "-", "15m", "2026", "T", "Z", "+01:00", " ", "前", "[", "]", "/", "9".repeat(47), "\u{1F4F7}", "."];
    let seed = 1;
    for (let round = 0; round < 5000; round++) {
      let text = "";
      for (let n = 0; n < 6; n++) {
        seed = (seed * 48_271) % 2_147_483_647;
        text += pieces[seed % pieces.length];
      }
      expect(["instant", "missing", "fragment", "unreadable"]).toContain(parseTime(text, berlin).kind);
      splitTime(text, berlin);
    }
  });
});

describe("splitTime", () => {
  test.each([
    ["gate 3 14:05", "gate 3", "2026-11-20T13:05:00Z"],
    ["gate 3 yesterday 14:05", "gate 3", "2026-11-19T13:05:00Z"],
    ["昨天 14:05 三号门", "三号门", "2026-11-19T13:05:00Z"],
    ["昨天14:05 三号门", "三号门", "2026-11-19T13:05:00Z"],
    ["-15m gate-3", "gate-3", "2026-11-20T12:55:00Z"],
    ["Gate-3 2026-11-20 07:05 UTC", "Gate-3", "2026-11-20T07:05:00Z"],
    ["14:05", "", "2026-11-20T13:05:00Z"],
  ])("%s", (text, rest, at) => {
    expect(splitTime(text, berlin)).toMatchObject({ rest, time: { instants: [iso(at)] } });
  });

  test.each(["gate 3", "", "hall", "gate 14:05x"])("%j has no time", (text) => {
    expect(splitTime(text, berlin)).toBeNull();
  });
});
