import { expect, it } from "vitest";
import { formatQuery, parsePath, parseQuery, pathOf } from "./routes.ts";

it("knows its places", () => {
  expect(parsePath("/console")).toEqual({ page: "streams" });
  expect(parsePath("/console/")).toEqual({ page: "streams" });
  expect(parsePath("/console/streams/gate-3")).toEqual({ page: "stream", name: "gate-3" });
  expect(parsePath("/console/settings/keys")).toEqual({ page: "settings", part: "keys" });
  expect(parsePath("/console/wall")).toEqual({ page: "wall", layout: "" });
  expect(parsePath("/console/streams/a/b")).toEqual({ page: "unknown" });
  expect(parsePath("/consoles")).toEqual({ page: "unknown" });
  expect(parsePath("/console/%E0%A4%A")).toEqual({ page: "unknown" });
});

it("encodes names", () => {
  for (const name of ["gate-3", "a b", "门/三", "100%"]) {
    expect(parsePath(pathOf({ page: "stream", name }))).toEqual({ page: "stream", name });
  }
});

it("keeps queries readable", () => {
  const query = { live: "", t: "2026-11-20T06:05:00.000Z", lanes: "motion,tags", q: "gate 3" };
  const text = formatQuery(query);
  expect(text).toBe("?live&t=2026-11-20T06:05:00.000Z&lanes=motion,tags&q=gate+3");
  expect(parseQuery(text)).toEqual(query);
  expect(formatQuery({})).toBe("");
});
