import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "../api/error.ts";
import { TagCache } from "./tag-cache.ts";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const NAMES = Array.from({ length: 100 }, (_, n) => `camera-${n}`);

function server(refuse: (name: string, call: number) => string | null = () => null) {
  const asked: { name: string; at: number }[] = [];
  let running = 0;
  const peak = { value: 0 };
  return {
    asked, peak,
    listTags: async (name: string) => {
      asked.push({ name, at: Date.now() });
      peak.value = Math.max(peak.value, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      const exception = refuse(name, asked.length);
      if (exception) throw new ApiError("ListTagsForStream", exception, "", 400, null);
      return { site: `site of ${name}` };
    },
  };
}

it("asks for those in view, few at a time", async () => {
  const { listTags, asked, peak } = server();
  const cache = new TagCache({ listTags });
  cache.want(NAMES.slice(0, 10));
  await vi.advanceTimersByTimeAsync(200);
  expect(asked).toHaveLength(10);
  expect(peak.value).toBe(2);
  expect(cache.known.value.get("camera-9")).toEqual({ site: "site of camera-9" });
  cache.close();
});

it("sweeps all at a measured pace, those in view first", async () => {
  const { listTags, asked } = server();
  const cache = new TagCache({ listTags });
  cache.want(["camera-90"]);
  cache.sweep(NAMES);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked[0]?.name).toBe("camera-90");
  expect(asked.length).toBeGreaterThan(20);
  expect(asked.length).toBeLessThan(30);
  expect(cache.swept.value.of).toBe(100);
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toHaveLength(100);
  expect(cache.swept.value).toEqual({ done: 100, of: 100 });
  expect(cache.known.value.size).toBe(100);
  cache.close();
});

it("waits when it asked too often, and does without what is denied", async () => {
  const { listTags, asked } = server((name, call) => (
    name === "camera-5" ? "NotAuthorizedException" : call === 3 ? "ClientLimitExceededException" : null
  ));
  const cache = new TagCache({ listTags });
  cache.sweep(NAMES.slice(0, 10));
  await vi.advanceTimersByTimeAsync(900);
  expect(asked.length).toBeLessThan(6);
  await vi.advanceTimersByTimeAsync(3000);
  expect(cache.swept.value).toEqual({ done: 10, of: 10 });
  expect(cache.known.value.has("camera-2")).toBe(true);
  expect(cache.known.value.has("camera-5")).toBe(false);
  expect(asked.filter(({ name }) => name === "camera-5")).toHaveLength(1);
  cache.close();
});

it("asks anew what was changed", async () => {
  const { listTags, asked } = server();
  const cache = new TagCache({ listTags });
  cache.want(["camera-1"]);
  await vi.advanceTimersByTimeAsync(100);
  cache.forget(["camera-1"]);
  await vi.advanceTimersByTimeAsync(100);
  expect(asked).toHaveLength(2);
  cache.close();
});
