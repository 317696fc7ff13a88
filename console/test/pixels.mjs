// How old pictures are, by the clock that is drawn into them.

import * as stamp from "../../tests/players/stamp.mjs";

/** How old the pictures on the screen are, by the clock in them, in milliseconds. */
export async function pictureAges(page) {
  const rows = await page.evaluate(readPictures, { width: stamp.WIDTH, height: stamp.HEIGHT });
  return rows.map(({ at, data }) => {
    const ms = stamp.read(data);
    return ms === null ? NaN : (((at - ms) % 2 ** 32) + 2 ** 32) % 2 ** 32;
  });
}

/** In the page: the strip with the clock, of five pictures, and when each was shown. */
async function readPictures({ width, height }) {
  const video = document.querySelector("video");
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rows = [];
  for (let n = 0; n < 5; n++) {
    const metadata = await new Promise((resolve) => video.requestVideoFrameCallback((_now, data) => resolve(data)));
    context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
    rows.push({ at: performance.timeOrigin + metadata.expectedDisplayTime, data: [...context.getImageData(0, 0, width, height).data] });
  }
  return rows;
}
