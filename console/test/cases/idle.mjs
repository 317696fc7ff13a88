// Nobody touches the page for a quarter of an hour.

import assert from "node:assert/strict";
import { readPictures } from "../pixels.mjs";
import { fillIn, moves, pause, signIn, visit } from "../steps.mjs";
import { WALL_STREAMS } from "./wall.mjs";

const FOUR = WALL_STREAMS.slice(0, 4);

/** As if so long had passed: the page's clock alone, its timers go on. */
const pass = (page, minutes) => page.evaluate((ms) => {
  const real = Date.now;
  Date.now = () => real() + ms;
}, minutes * 60_000);

const live = (page) => page.waitForFunction((count) => document.querySelectorAll(".tile.is-live").length === count, FOUR.length);

export default [
  {
    name: "idle: a wall goes on by itself and shows nothing else; a page of one stream is locked",
    needs: "wall",
    run: async (test) => {
      const { page, server, watch } = test;
      // Signatures by the page's new time are refused until it has looked at the server's again.
      watch.allows = [/status of 403/];
      const { accessKeyId, secretAccessKey } = server.credentials;
      await signIn(test, `/console/wall/2x2?s=${FOUR.join(",")}`);
      await live(page);
      const frames = async () => (await readPictures(page, ".tile video")).map(({ frames }) => frames);
      const before = await frames();
      await pass(page, 16);
      await page.getByText("Locked after 15 minutes without input. The pictures go on.").waitFor();
      assert.equal(await page.locator("nav").count(), 0);
      await page.keyboard.press("Control+k");
      await pause(1000);
      assert.equal(await page.locator(".palette").count(), 0);
      await live(page);
      (await frames()).forEach((count, n) => assert.ok(count > before[n] + 25, `${FOUR[n]} began anew: ${before[n]}, ${count}`));
      await page.getByRole("button", { name: "Sign in" }).click();
      await fillIn(page, accessKeyId, secretAccessKey);
      await live(page);
      assert.equal(await page.locator("nav").count(), 1);

      await pass(page, 16);
      await page.getByText("The pictures go on.").waitFor();
      await visit(page, `/console/streams/${FOUR[0]}`);
      await page.getByText("Locked after 15 minutes without input. The key was dropped.").waitFor();
      await fillIn(page, accessKeyId, secretAccessKey);
      await moves(page);
      assert.match(page.url(), /streams\/cam-01$/);
      await pass(page, 16);
      await page.getByText("The key was dropped.").waitFor();
      assert.equal(await page.locator("video").count(), 0);
    },
  },
];
