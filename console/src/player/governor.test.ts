import { describe, expect, it, test } from "vitest";
import { Governor, RATE_MAX, type Situation } from "./governor.ts";

const at = (fields: Partial<Situation>): Situation => ({ now: 0, behind: 0, ahead: 1, hasShown: true, ...fields });
const jump = { jump: true };

describe("rate", () => {
  test.each([[-0.3, 1], [0, 1], [0.09, 1], [0.11, 1.02], [0.25, 1.05], [0.5, 1.1], [1.49, 1.1]])("%d s behind: %d", (behind, rate) => {
    expect(new Governor().decide(at({ behind }))).toEqual({ rate });
  });

  test("no switching to and fro: it hurries until it is there", () => {
    const governor = new Governor();
    const rates = [0.09, 0.12, 0.05, 0.01, 0.09].map((behind) => governor.decide(at({ behind })));
    expect(rates).toEqual([{ rate: 1 }, { rate: 1.02 }, { rate: 1.01 }, { rate: 1 }, { rate: 1 }]);
  });

  it("does not run its buffer down", () => {
    const governor = new Governor();
    expect(governor.decide(at({ behind: 1, ahead: 0.1 }))).toEqual({ rate: 1 });
    expect(governor.decide(at({ behind: 1, ahead: 0.3 }))).toEqual({ rate: 1.1 });
    expect(governor.decide(at({ behind: 1, ahead: 0.2 }))).toEqual({ rate: 1.1 });
    expect(governor.decide(at({ behind: 1, ahead: 0.1 }))).toEqual({ rate: 1 });
  });
});

describe("jumps", () => {
  test("when far behind, not again at once", () => {
    const governor = new Governor();
    expect(governor.decide(at({ behind: 8 }))).toEqual(jump);
    expect(governor.decide(at({ behind: 8, now: 1000 }))).toEqual({ rate: 1.1 });
    expect(governor.decide(at({ behind: 8, now: 3000 }))).toEqual(jump);
  });

  test("not before a frame was shown, but not never", () => {
    const governor = new Governor();
    expect(governor.decide(at({ behind: 8, hasShown: false }))).not.toEqual(jump);
    expect(governor.decide(at({ behind: 8, now: 100 }))).toEqual(jump);
    for (let now = 200; now < 5100; now += 100) {
      expect(governor.decide(at({ behind: 8, hasShown: false, now }))).not.toEqual(jump);
    }
    expect(governor.decide(at({ behind: 8, hasShown: false, now: 5100 }))).toEqual(jump);
  });

  test("however near, and at once, where no rate helps", () => {
    const governor = new Governor();
    expect(governor.decide(at({ behind: 0.05, mustJump: true }))).toEqual(jump);
    expect(governor.decide(at({ behind: 0.05, mustJump: true, now: 100 }))).toEqual(jump);
    expect(governor.decide(at({ behind: 0.05, mustJump: true, now: 200, hasShown: false }))).toEqual({ rate: 1 });
  });
});

test("from a second behind it comes to the place in virtual time, never faster than 1.1", () => {
  const governor = new Governor();
  let behind = 1;
  let ms = 0;
  for (; behind > 0.1 && ms < 60_000; ms += 100) {
    const order = governor.decide(at({ behind, now: ms }));
    const rate = "rate" in order ? order.rate : NaN;
    expect(rate).toBeLessThanOrEqual(RATE_MAX);
    behind -= (rate - 1) * 0.1;
  }
  expect(ms).toBeLessThan(15_000);
});
