import { expect, test } from "vitest";
import { Line } from "./line.ts";

/** Runs a line; tells at which second of the run it stepped, and to what. */
function runner() {
  const line = new Line();
  let now = 0;
  return {
    line,
    run(seconds: number, lagMs: (cap: string) => number): [number, string][] {
      const steps: [number, string][] = [];
      for (let n = 0; n < seconds; n++) {
        now += 1000;
        if (line.sample(now, lagMs(line.cap))) steps.push([n + 1, line.cap]);
      }
      return steps;
    },
  };
}

test("a line that is far away only is not a slow one", () => {
  expect(runner().run(300, () => 600)).toEqual([]);
});

test("step by step down to what it bears", () => {
  expect(runner().run(40, () => 11_000)).toEqual([[4, "key"], [12, "still"]]);
  expect(runner().run(40, (cap) => (cap === "full" ? 4000 : 200))).toEqual([[4, "key"]]);
});

test("key frames may wait for the line, and nothing more is tried then", () => {
  expect(runner().run(600, () => 4000)).toEqual([[4, "key"]]);
});

test("a hiccup is borne", () => {
  const { run } = runner();
  expect(run(2, () => 4000)).toEqual([]);
  expect(run(1, () => 20)).toEqual([]);
  expect(run(2, () => 4000)).toEqual([]);
});

test("up after a clean minute; after each failed try twice as long, ten minutes at most", () => {
  const steps = runner().run(2800, (cap) => (cap === "full" ? 4000 : 200));
  const tries = steps.filter(([, cap]) => cap === "full").map(([at]) => at);
  const waits = tries.slice(1).map((at, n) => Math.round((at - (tries[n] ?? 0)) / 10) * 10);
  expect(waits).toEqual([130, 250, 490, 610, 610, 610]);
});

test("a try that holds makes the next wait a minute again", () => {
  const { run, line } = runner();
  run(4, () => 4000);
  expect(run(200, () => 200)).toEqual([[61, "full"]]);
  run(4, () => 4000);
  expect(line.cap).toBe("key");
  expect(run(62, () => 200)).toEqual([[61, "full"]]);
});

test("other tiles begin anew", () => {
  const { run, line } = runner();
  run(20, () => 4000);
  line.restart();
  expect(line.cap).toBe("full");
  expect(run(4, () => 4000)).toEqual([[4, "key"]]);
});
