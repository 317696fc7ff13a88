// Sound on the wall: one tile at a time, decoded for real, at the same time as its picture.

import assert from "node:assert/strict";
import { Camera } from "../../../tests/players/camera.mjs";
import { median, pictureAges } from "../pixels.mjs";
import { pause, signIn } from "../steps.mjs";

const SECOND = "sound-2";
/** A fragment of 2 s, which such sound is encoded by, and a fragment and a half behind the end of the list. */
const DELAY_MS_MAX = 5000;

/** In the page: the elements that sound is played by. */
function watchAudio() {
  const make = Document.prototype.createElement;
  window.audios = [];
  Document.prototype.createElement = function (name, ...rest) {
    const element = make.call(this, name, ...rest);
    if (name === "audio") window.audios.push(element);
    return element;
  };
}

/** Of each: bytes decoded, whether it plays, and what comes out of it. */
const listen = (page) => page.evaluate(async () => Promise.all(window.audios.map(async (audio) => {
  const before = audio.webkitAudioDecodedByteCount;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return { decoded: audio.webkitAudioDecodedByteCount - before, isPlaying: !audio.paused, at: audio.currentTime };
})));

/** The one that is heard, and no other. */
async function heard(page) {
  const all = await listen(page);
  return all.filter(({ decoded, isPlaying }) => decoded > 0 && isPlaying).length;
}

const words = (page) => page.locator(".wall-sound [role=status]").innerText();
const says = (page, text) => page.waitForFunction((text) => document.querySelector(".wall-sound [role=status]")?.textContent === text, text, { timeout: 15_000 });

/** Of a telephone's kind, which no browser plays: the server encodes it. */
async function telephone(server) {
  await server.call("CreateStream", { StreamName: SECOND, DataRetentionInHours: 24 })
    .catch(({ kind }) => assert.equal(kind, "ResourceInUseException"));
  const camera = new Camera(server, SECOND, { audio: "mulaw" });
  await pause(4000);
  return camera;
}

export default [
  {
    name: "stream page: sound of a telephone's kind is decoded beside its picture",
    run: async (test) => {
      const { page, server } = test;
      const camera = await telephone(server);
      try {
        await signIn(test, `/console/streams/${SECOND}`);
        await page.waitForFunction(() => {
          const video = document.querySelector("video");
          return video && !video.paused && video.webkitDecodedFrameCount > 50 && video.webkitAudioDecodedByteCount > 0;
        }, undefined, { timeout: 20_000 });
        await pause(2000);
        const delay = Math.round(median(await pictureAges(page)));
        test.notes.push(`${delay} ms behind`);
        assert.ok(delay <= DELAY_MS_MAX, `${delay} ms behind`);
      } finally {
        camera.kill();
      }
    },
  },
  {
    name: "wall: one tile is heard, by a key or by its menu, and it comes back",
    run: async (test) => {
      const { page, server } = test;
      const camera = await telephone(server);
      try {
        await page.addInitScript(watchAudio);
        await signIn(test, `/console/wall/2x2?s=gate-3,${SECOND}`);
        await page.waitForFunction(() => document.querySelectorAll(".tile.is-live").length === 2, undefined, { timeout: 20_000 });
        assert.deepEqual(await listen(page), [], "sound before anybody asked");
        await page.locator('.tile[data-stream="gate-3"] .tile-hit').focus();
        await page.keyboard.press("m");
        await says(page, "Sound: gate-3");
        assert.equal(await heard(page), 1);
        assert.match(await page.locator('.tile[data-stream="gate-3"] .tile-hit').getAttribute("aria-label"), /sound on$/);
        assert.doesNotMatch(await page.locator(`.tile[data-stream="${SECOND}"] .tile-hit`).getAttribute("aria-label"), /sound on/);
        // The other by its menu: the first is quiet.
        const tile = page.locator(`.tile[data-stream="${SECOND}"]`);
        await tile.hover();
        await tile.getByRole("button", { name: `Menu of ${SECOND}` }).click();
        await page.getByRole("menuitem", { name: "Sound on" }).click();
        await says(page, `Sound: ${SECOND}`);
        assert.equal(await heard(page), 1);
        // Covered by another it is quiet, and heard when that is gone.
        await page.locator('.tile[data-stream="gate-3"] .tile-hit').focus();
        await page.keyboard.press("Enter");
        await says(page, `Sound of ${SECOND}: out of sight`);
        assert.equal(await heard(page), 0);
        await page.keyboard.press("Escape");
        await says(page, `Sound: ${SECOND}`);
        // Through key frames and back.
        const pin = async (name) => {
          await tile.hover();
          await tile.getByRole("button", { name: `Menu of ${SECOND}` }).click();
          await page.getByRole("menuitem", { name }).or(page.getByRole("menuitemradio", { name })).click();
        };
        await pin("Key frames only");
        await says(page, `${SECOND} shows key frames: without sound`);
        await pin("Quality by itself");
        await says(page, `Sound: ${SECOND}`);
        assert.equal(await heard(page), 1);
        test.notes.push(await words(page));
        await page.locator(".wall-sound button").click();
        await says(page, "Sound off");
        assert.equal(await heard(page), 0);
      } finally {
        camera.kill();
      }
    },
  },
];
