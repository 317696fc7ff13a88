import { describe as group, expect, test } from "vitest";

import { age, clock, date, dateTime, describe, duration, fileTime, offsetName, relative } from "./format.ts";
import { parseTime } from "./parse.ts";
import { EN, ZH } from "./words.ts";

const iso = (text: string) => Date.parse(text);
const NOW = iso("2026-11-20T13:10:00Z");

group("duration", () => {
  test.each([
    [0, "0 ms", "0 毫秒"],
    [480, "480 ms", "480 毫秒"],
    [999.6, "1.0 s", "1.0 秒"],
    [2500, "2.5 s", "2.5 秒"],
    [9960, "10 s", "10 秒"],
    [42_000, "42 s", "42 秒"],
    [59_600, "1 m", "1 分"],
    [65_000, "1 m 5 s", "1 分 5 秒"],
    [6 * 3_600_000 + 12 * 60_000 + 5000, "6 h 12 m", "6 小时 12 分"],
    [3_600_000, "1 h", "1 小时"],
    [2 * 86_400_000 + 3 * 3_600_000, "2 d 3 h", "2 天 3 小时"],
    [-42_000, "−42 s", "−42 秒"],
  ])("%d", (ms, en, zh) => {
    expect(duration(ms, EN)).toBe(en);
    expect(duration(ms, ZH)).toBe(zh);
  });
});

group("age", () => {
  test.each([
    [-5, "0.0 s"], [440, "0.4 s"], [9999, "9.9 s"], [14_900, "14 s"], [60_000, "1 m"], [299_000, "4 m"],
    [7_200_000, "2 h"], [2.9 * 86_400_000, "2 d"],
  ])("%d", (ms, text) => {
    expect(age(ms, EN)).toBe(text);
  });

  test("relative", () => {
    expect(relative(NOW - 300_000, NOW, EN)).toBe("5 m ago");
    expect(relative(NOW - 300_000, NOW, ZH)).toBe("5 分前");
    expect(relative(NOW + 300_000, NOW, EN)).toBe("in 5 m");
  });
});

test("times in a zone", () => {
  const at = iso("2026-11-20T06:05:12.480Z");
  expect(clock(at, "Europe/Berlin", "m")).toBe("07:05");
  expect(clock(at, "Europe/Berlin")).toBe("07:05:12");
  expect(clock(at, "Europe/Berlin", "ds")).toBe("07:05:12.4");
  expect(clock(at, "America/New_York", "ms")).toBe("01:05:12.480");
  expect(date(at, "Asia/Shanghai", EN)).toBe("2026-11-20");
  expect(date(at, "Asia/Shanghai", ZH)).toBe("2026年11月20日");
  expect(dateTime(at, "Asia/Shanghai", ZH, "m")).toBe("2026年11月20日 14:05 Asia/Shanghai");
  expect(offsetName(at, "America/New_York")).toBe("UTC−05:00");
  expect(offsetName(at, "Asia/Kathmandu")).toBe("UTC+05:45");
  expect(offsetName(at, "UTC")).toBe("UTC");
  expect(fileTime(at, "Europe/Berlin")).toBe("20261120T070512.480+0100");
  expect(fileTime(at, "UTC")).toBe("20261120T060512.480Z");
});

group("what was understood", () => {
  const berlin = { now: NOW, zone: "Europe/Berlin" };
  test.each([
    ["14:05", "today 2026-11-20 14:05:00 Europe/Berlin, 5 m ago"],
    ["yesterday 14:05", "yesterday 2026-11-19 14:05:00 Europe/Berlin, 1 d ago"],
    ["2026-11-02T06:05:00.480Z", "2026-11-02 07:05:00.480 Europe/Berlin, 18 d ago"],
    ["2026-10-25 02:30", "2026-10-25 02:30:00 Europe/Berlin exists twice: UTC+02:00 or UTC+01:00"],
    ["2026-03-29 02:30", "2026-03-29 02:30 Europe/Berlin does not exist: the clocks go from 02:00 to 03:00"],
    ["91343852333181432392682062622220590765191907586", "Fragment 91343852333181432392682062622220590765191907586"],
    ["25:00", "No such time"],
    ["", "Type a time"],
  ])("%s", (text, shown) => {
    expect(describe(parseTime(text, berlin), NOW, EN)).toBe(shown);
  });

  test("in Chinese", () => {
    const context = { now: NOW, zone: "Asia/Shanghai" };
    expect(describe(parseTime("昨天14:05", context), NOW, ZH)).toBe("昨天 2026年11月19日 14:05:00 Asia/Shanghai，1 天前");
    expect(describe(parseTime("2026-03-29 02:30", { ...context, zone: "Europe/Berlin" }), NOW, ZH)).toBe(
      "2026年3月29日 02:30 Europe/Berlin 不存在：时钟从 02:00 拨到 03:00",
    );
  });
});
