import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "../api/error.ts";
import { siteZone, waitForSiteZone } from "./site-zones.ts";
import { TagCache } from "./tag-cache.ts";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const NAMES = Array.from({ length: 2500 }, (_, n) => `camera-${n}`);
const DENIED = { Code: "AccessDeniedException", Message: "" };

/** `refuse` throws for a whole call. */
function server(refuse: (call: number) => void = () => {}) {
  const asked: string[][] = [];
  const peak = { value: 0 };
  let running = 0;
  return {
    asked, peak,
    getStreamTags: async (names: string[]) => {
      asked.push(names);
      peak.value = Math.max(peak.value, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      refuse(asked.length);
      return names.map((name) => (name === "secret"
        ? { StreamName: name, Error: DENIED }
        : { StreamName: name, Error: null, Tags: { site: `site of ${name}`, "streamkeep:timezone": "Asia/Shanghai" } }));
    },
  };
}

it("asks for those in view in one call", async () => {
  const source = server();
  const cache = new TagCache(source);
  cache.want(NAMES.slice(0, 30));
  await vi.advanceTimersByTimeAsync(20);
  expect(source.asked).toEqual([NAMES.slice(0, 30)]);
  expect(cache.known.value.get("camera-9")?.["site"]).toBe("site of camera-9");
  cache.want(NAMES.slice(10, 40));
  await vi.advanceTimersByTimeAsync(20);
  expect(source.asked[1]).toEqual(NAMES.slice(30, 40));
});

it("sweeps all, a thousand a call, those in view first", async () => {
  const source = server();
  const cache = new TagCache(source);
  cache.want(["camera-2400"]);
  cache.sweep(NAMES);
  await vi.advanceTimersByTimeAsync(50);
  expect(source.asked.map(({ length }) => length)).toEqual([1, 1000, 1000, 499]);
  expect(source.asked[0]).toEqual(["camera-2400"]);
  expect(source.peak.value).toBe(1);
  expect(cache.swept.value).toEqual({ done: 2500, of: 2500 });
  expect(cache.known.value.size).toBe(2500);
});

it("tells who waits, and does without what is denied", async () => {
  const source = server();
  const cache = new TagCache(source);
  cache.sweep(["camera-1", "secret"]);
  const [one, none] = [cache.ask("camera-7"), cache.ask("secret")];
  await vi.advanceTimersByTimeAsync(50);
  expect(source.asked.slice(0, 2)).toEqual([["camera-1", "secret"], ["camera-7", "secret"]]);
  expect((await one)?.["site"]).toBe("site of camera-7");
  expect(await none).toBeNull();
  expect([cache.tagsOf("secret"), cache.tagsOf("camera-8")]).toEqual([null, undefined]);
  expect(cache.swept.value).toEqual({ done: 2, of: 2 });
  expect(source.asked.flat().filter((name) => name === "secret").length).toBeLessThan(3);
});

it("tries again after a call that failed, unless it is not allowed", async () => {
  const limited = server((call) => {
    if (call === 1) throw new ApiError("GetStreamTags", "ClientLimitExceededException", "", 400, null);
  });
  const cache = new TagCache(limited);
  cache.want(["camera-1"]);
  const waits = cache.ask("camera-2");
  await vi.advanceTimersByTimeAsync(1000);
  expect((await waits)?.["site"]).toBe("site of camera-2");
  expect(limited.asked).toEqual([["camera-1"], ["camera-2"]]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(cache.known.value.has("camera-1")).toBe(true);

  const none = server(() => { throw new ApiError("GetStreamTags", "NetworkError", "", 0, null); });
  const asks = new TagCache(none).ask("camera-1");
  await vi.advanceTimersByTimeAsync(10);
  expect(await asks).toBeNull();

  const denied = server(() => { throw new ApiError("GetStreamTags", "AccessDeniedException", "", 403, null); });
  new TagCache(denied).sweep(NAMES);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(denied.asked).toHaveLength(1);
});

it("asks anew what was changed, and what others may have changed", async () => {
  const source = server();
  const cache = new TagCache(source);
  cache.want(["camera-1", "camera-2"]);
  await vi.advanceTimersByTimeAsync(20);
  cache.forget(["camera-1"]);
  expect(cache.known.value.has("camera-1")).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  expect(source.asked[1]).toEqual(["camera-1"]);
  cache.renew();
  expect(cache.known.value.size).toBe(2);
  await vi.advanceTimersByTimeAsync(20);
  expect(source.asked[2]).toEqual(["camera-1", "camera-2"]);
  cache.close();
  cache.renew();
  await vi.advanceTimersByTimeAsync(20);
  expect(source.asked).toHaveLength(3);
});

it("is one for each sign-in, and knows the zones of sites", async () => {
  const source = server();
  const cache = TagCache.of(source);
  expect(TagCache.of(source)).toBe(cache);
  expect(siteZone(cache, "camera-1", "site")).toBeUndefined();
  expect(siteZone(cache, "camera-1", "utc")).toBe("UTC");
  const zone = waitForSiteZone(cache, "camera-1", "site");
  await vi.advanceTimersByTimeAsync(20);
  expect(await zone).toBe("Asia/Shanghai");
  expect(siteZone(cache, "camera-1", "site")).toBe("Asia/Shanghai");
});
