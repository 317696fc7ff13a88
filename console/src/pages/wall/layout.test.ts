import { expect, test } from "vitest";
import { choiceOf, gridOf, layoutText, moved, pageOf } from "./layout.ts";

const WIDE = 16 / 9;

test("what the URL says", () => {
  expect(choiceOf("", {})).toEqual({ layout: "auto", streams: null, page: 1, tile: null });
  expect(choiceOf("3x3", { s: "gate, hall,gate,", page: "2", tile: "hall" })).toEqual({
    layout: 3, streams: ["gate", "hall"], page: 2, tile: "hall",
  });
  for (const text of ["3x2", "9x9", "0x0", "night"]) expect(choiceOf(text, { page: "-1" })).toMatchObject({ layout: "auto", page: 1 });
  expect(choiceOf(layoutText(4), {}).layout).toBe(4);
});

test("pages", () => {
  const names = Array.from({ length: 20 }, (_, n) => `c${n}`);
  expect(pageOf(names, "auto", 1)).toMatchObject({ page: 1, count: 2 });
  expect(pageOf(names, "auto", 9).names).toEqual(["c16", "c17", "c18", "c19"]);
  expect(pageOf(names, 2, 5).names).toEqual(["c16", "c17", "c18", "c19"]);
  expect(pageOf([], "auto", 3)).toEqual({ names: [], page: 1, count: 1 });
});

test("best fill", () => {
  const of = (count: number, shape: number, width = 1600, height = 900) => gridOf("auto", Array<number>(count).fill(shape), width, height);
  expect(of(1, WIDE)).toEqual({ columns: 1, rows: 1 });
  expect(of(4, WIDE)).toEqual({ columns: 2, rows: 2 });
  expect(of(16, WIDE)).toEqual({ columns: 4, rows: 4 });
  expect(of(4, 9 / 16)).toEqual({ columns: 4, rows: 1 });
  expect(of(4, WIDE, 390, 844)).toEqual({ columns: 1, rows: 4 });
  expect(of(0, WIDE)).toEqual({ columns: 1, rows: 1 });
  expect(gridOf(3, [WIDE], 100, 100)).toEqual({ columns: 3, rows: 3 });
});

test("arrows stay inside", () => {
  expect(moved(0, "ArrowLeft", 5, 3)).toBe(0);
  expect(moved(0, "ArrowDown", 5, 3)).toBe(3);
  expect(moved(2, "ArrowDown", 5, 3)).toBe(2);
  expect(moved(4, "ArrowUp", 5, 3)).toBe(1);
  expect(moved(4, "ArrowRight", 5, 3)).toBe(4);
});
