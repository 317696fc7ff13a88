import { expect, it } from "vitest";
import { Governor } from "./governor.ts";

it("hurries until it is there", () => {
  const governor = new Governor();
  expect(governor.decide({ behind: 0.05, ahead: 1 }, 0)).toEqual({ rate: 1 });
  expect(governor.decide({ behind: 0.4, ahead: 1 }, 1)).toEqual({ rate: 1.1 });
  expect(governor.decide({ behind: 0.05, ahead: 1 }, 2)).toEqual({ rate: 1.1 });
  expect(governor.decide({ behind: 0.02, ahead: 1 }, 3)).toEqual({ rate: 1 });
});

it("does not run its buffer down", () => {
  const governor = new Governor();
  expect(governor.decide({ behind: 1, ahead: 0.1 }, 0)).toEqual({ rate: 1 });
});

it("jumps when far behind, not again at once", () => {
  const governor = new Governor();
  expect(governor.decide({ behind: 8, ahead: 1 }, 0)).toEqual({ jump: true });
  expect(governor.decide({ behind: 8, ahead: 1 }, 1)).toEqual({ rate: 1.1 });
  expect(governor.decide({ behind: 8, ahead: 1 }, 4)).toEqual({ jump: true });
});

it("reaches the edge from a second behind in virtual time", () => {
  const governor = new Governor();
  let behind = 1;
  let seconds = 0;
  for (; behind > 0.1 && seconds < 60; seconds += 0.1) {
    const order = governor.decide({ behind, ahead: 1 }, seconds);
    behind -= "rate" in order ? (order.rate - 1) * 0.1 : behind;
  }
  expect(seconds).toBeLessThan(10);
});
