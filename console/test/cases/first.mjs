// A server that has nothing yet, up to the first picture. These come before all others: they need an
// empty server, and the stream that they make without a camera.

import assert from "node:assert/strict";
import { Camera } from "../../../tests/players/camera.mjs";
import { pictureAges } from "../pixels.mjs";
import { moves, pause, signIn } from "../steps.mjs";

export default [
  {
    name: "first run shows three doors; a stream is created",
    needs: "nothing",
    run: async (test) => {
      const { page } = test;
      await signIn(test);
      await page.getByText("No streams yet").waitFor();
      assert.equal(await page.locator(".door").count(), 3);
      assert.ok((await page.locator(".doors").innerText()).includes(test.server.url));
      await page.keyboard.press("n");
      await page.locator("dialog input").first().fill("gate 3");
      assert.equal(await page.locator("dialog button[type=submit]").isEnabled(), false);
      await page.locator("dialog input").first().fill("gate-3");
      await page.getByLabel("Site").fill("north");
      await page.locator("dialog button[type=submit]").click();
      await page.getByText("Nothing has arrived yet").waitFor();
      assert.match(page.url(), /\/console\/streams\/gate-3$/);
    },
  },
  {
    name: "the first fragment turns the page into a picture; the badge tells the truth",
    needs: "nothing",
    run: async (test) => {
      const { page } = test;
      await signIn(test, "/console/streams/gate-3");
      await page.getByText("Nothing has arrived yet").waitFor();
      test.camera = new Camera(test.server, "gate-3", { audio: "aac" });
      const begun = Date.now();
      await moves(page, 1, 40_000);
      test.notes.push(`picture ${((Date.now() - begun) / 1000).toFixed(1)} s after the camera was switched on`);
      await pause(6000);
      await page.locator(".badge").click();
      const seen = await pictureAges(page);
      const badge = await page.locator(".badge").innerText();
      const told = Number(/live ([\d.]+) s/.exec(badge)?.[1]) * 1000;
      test.notes.push(`badge "${badge.trim().replace(/\s+/g, " ")}", by the stamp in the picture ${seen.map((ms) => Math.round(ms)).join(", ")} ms`);
      assert.ok(told > 0 && told < 3000, badge);
      const stats = await page.locator(".stats").innerText();
      assert.match(stats, /LL-HLS/);
      assert.match(stats, /640×360/);
    },
  },
];
