import { expect, it, vi } from "vitest";
import { ApiError } from "../api/error.ts";
import type { Api } from "../api/operations.ts";
import type { StreamInfo } from "../api/types.ts";
import { forEachStream, tagChange, withVersion } from "./work.ts";

const stream = (StreamName: string, Version = "1") => ({ StreamName, Version }) as StreamInfo;

it("goes on after a failure, four at a time", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  const failures = await forEachStream(
    Array.from({ length: 20 }, (_, n) => stream(`s${n}`)),
    async ({ StreamName }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
      if (StreamName === "s3") throw new Error("no");
    },
    (done) => seen.push(done),
  );
  expect(most).toBe(4);
  expect(failures.map(({ name }) => name)).toEqual(["s3"]);
  expect(seen.at(-1)).toBe(20);
});

it("takes the new version once", async () => {
  const api = { describeStream: vi.fn(async () => stream("gate", "2")) } as unknown as Api;
  const versions: string[] = [];
  await withVersion(api, stream("gate"), async ({ Version }) => {
    versions.push(Version);
    if (Version === "1") throw new ApiError("X", "VersionMismatchException", "", 400, null);
  });
  expect(versions).toEqual(["1", "2"]);
});

it("finds what changed in tags", () => {
  expect(tagChange({ a: "1", b: "2", c: "3" }, { a: "1", b: "x", d: "4" })).toEqual({
    set: { b: "x", d: "4" }, remove: ["c"],
  });
});
