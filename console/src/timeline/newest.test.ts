import { expect, test } from "vitest";

import { Newest } from "./newest.ts";

test("one in the air, the newest wins", async () => {
  let inAir = 0;
  let most = 0;
  const asked: number[] = [];
  const answers: number[] = [];
  const newest = new Newest<number, number>(
    async (question, signal) => {
      asked.push(question);
      most = Math.max(most, ++inAir);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 5);
        signal.addEventListener("abort", () => (clearTimeout(timer), resolve()));
      });
      inAir--;
      return question;
    },
    (_, answer) => answers.push(answer),
  );
  for (let n = 1; n <= 5; n++) newest.want(n);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(most).toBe(1);
  expect(asked).toEqual([1, 5]);
  expect(answers).toEqual([5]);

  newest.want(6);
  newest.drop();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(answers).toEqual([5]);
  newest.end();
  newest.want(7);
  expect(asked).toEqual([1, 5, 6]);
});

test("an error does not stop it, nor a request that does not heed the abort", async () => {
  const answers: number[] = [];
  const newest = new Newest<number, number>(
    (question) => {
      if (question === 1) return Promise.reject(new Error("no picture"));
      if (question === 2) return new Promise(() => {});
      return Promise.resolve(question);
    },
    (_, answer) => answers.push(answer),
  );
  newest.want(1);
  await new Promise((resolve) => setTimeout(resolve, 1));
  newest.want(2);
  newest.want(3);
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(answers).toEqual([3]);
});
