import { expect, it } from "vitest";
import { ApiError } from "../api/error.ts";
import type { FragmentInfo, ListFragmentsRequest } from "../api/types.ts";
import { FragmentList } from "./fragment-list.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const HOUR = 3_600_000;

/** A server that lists from the oldest on, a page at a time. */
function server(starts: number[]) {
  const asked: { from: number; to: number }[] = [];
  const made = starts.map((at): FragmentInfo => ({
    FragmentNumber: String(at), FragmentSizeInBytes: 1, ProducerTimestamp: at / 1000, ServerTimestamp: at / 1000,
    FragmentLengthInMilliseconds: 2000,
  }));
  return {
    made, asked,
    listFragments: async ({ NextToken, MaxResults = 100, FragmentSelector }: ListFragmentsRequest) => {
      const { StartTimestamp = 0, EndTimestamp = 0 } = FragmentSelector?.TimestampRange ?? {};
      const [from, to] = [StartTimestamp * 1000, EndTimestamp * 1000];
      if (!NextToken) asked.push({ from, to });
      const inside = made.filter(({ ServerTimestamp }) => ServerTimestamp * 1000 >= from && ServerTimestamp * 1000 <= to);
      const at = Number(NextToken ?? 0);
      return {
        Fragments: inside.slice(at, at + MaxResults),
        NextToken: at + MaxResults < inside.length ? String(at + MaxResults) : null,
      };
    },
  };
}

const every = (ms: number, from: number, to: number) => {
  const out: number[] = [];
  for (let at = from; at < to; at += ms) out.push(at);
  return out;
};

async function all(list: FragmentList): Promise<number[]> {
  for (let n = 0; n < 100 && !list.state.value.isComplete; n++) await list.older();
  return list.state.value.rows.map(({ FragmentNumber }) => Number(FragmentNumber));
}

it("lists the newest first, in stretches", async () => {
  const starts = every(2000, NOW - 2 * HOUR, NOW);
  const { listFragments, asked } = server(starts);
  const list = new FragmentList({ listFragments }, "gate-3", () => NOW, () => NOW - 24 * HOUR);
  await list.older();
  expect(Number(list.state.value.rows[0]?.FragmentNumber)).toBe(starts.at(-1));
  expect(list.state.value.rows).toHaveLength(300);
  expect(asked).toHaveLength(1);
  expect(await all(list)).toEqual(starts.reverse());
  expect(list.state.value).toMatchObject({ isComplete: true, isLoading: false, error: null });
});

it("goes over days without recordings, and finds a dense hour behind them", async () => {
  const starts = [...every(200, NOW - 90 * HOUR, NOW - 89.5 * HOUR), NOW - 3000];
  const { listFragments, asked } = server(starts);
  const list = new FragmentList({ listFragments }, "gate-3", () => NOW, () => NOW - 168 * HOUR);
  await list.older();
  expect(list.state.value.rows).toHaveLength(1);
  await list.older();
  const second = Number(list.state.value.rows[1]?.FragmentNumber);
  expect(second).toBe(NOW - 89.5 * HOUR - 200);
  expect(asked.length).toBeLessThan(30);
  expect(await all(list)).toEqual(starts.reverse());
});

it("ends where nothing older is kept", async () => {
  const { listFragments } = server([]);
  const list = new FragmentList({ listFragments }, "gate-3", () => NOW, () => NOW - 720 * HOUR);
  await list.older();
  expect(list.state.value).toMatchObject({ rows: [], isComplete: true });
});

it("puts what comes later in front, also what was being stored", async () => {
  let now = NOW;
  const { listFragments, made } = server([NOW - 8000, NOW - 6000, NOW - 4000]);
  const list = new FragmentList({ listFragments }, "gate-3", () => now, () => NOW - HOUR);
  await list.older();
  const late = server([NOW - 2000, NOW, NOW + 2000]).made;
  made.push(...late);
  now += 5000;
  await list.newer();
  await list.newer();
  expect(list.state.value.rows.map(({ FragmentNumber }) => Number(FragmentNumber) - NOW))
    .toEqual([2000, 0, -2000, -4000, -6000, -8000]);
});

it("begins anew after a long sleep", async () => {
  let now = NOW;
  const { listFragments, made } = server(every(2000, NOW - HOUR, NOW));
  const list = new FragmentList({ listFragments }, "gate-3", () => now, () => NOW - HOUR);
  await list.older();
  now += 12 * HOUR;
  made.push(...server(every(2000, NOW, now)).made);
  await list.newer();
  expect(list.state.value).toMatchObject({ rows: [], isComplete: false });
  await list.older();
  expect(Number(list.state.value.rows[0]?.FragmentNumber)).toBe(now - 2000);
});

it("keeps what it has when it is refused", async () => {
  const { listFragments } = server([NOW - 4000]);
  let isRefusing = false;
  const list = new FragmentList({
    listFragments: async (input) => {
      if (isRefusing) throw new ApiError("ListFragments", "NotAuthorizedException", "no", 401, "r-1");
      return listFragments(input);
    },
  }, "gate-3", () => NOW, () => NOW - 100 * HOUR);
  await list.older();
  isRefusing = true;
  await list.older();
  expect(list.state.value).toMatchObject({ isLoading: false, error: { exception: "NotAuthorizedException" } });
  expect(list.state.value.rows).toHaveLength(1);
  isRefusing = false;
  await list.older();
  expect(list.state.value).toMatchObject({ error: null, isComplete: true });
});
