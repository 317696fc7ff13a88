// How old pictures are, by the clock that is drawn into them.

import * as stamp from "../../tests/players/stamp.mjs";

const WRAP = 2 ** 32;

/** Milliseconds from a stamp to an instant. */
const age = (at, ms) => (((at - ms) % WRAP) + WRAP) % WRAP;

/** The luma in the middles of the squares, as a picture of nothing else. */
function decode(squares) {
  const rgba = [];
  squares.forEach((value, square) => {
    const x = (square % stamp.COLUMNS) * stamp.SQUARE + stamp.SQUARE / 2;
    const y = Math.floor(square / stamp.COLUMNS) * stamp.SQUARE + stamp.SQUARE / 2;
    rgba[(y * stamp.WIDTH + x) * 4] = value;
  });
  return stamp.read(rgba);
}

/**
 * The next picture of each video that `selector` finds, at the same time, and what the page says of it. When
 * none comes within `withinMs` it is the one on the screen, and `isNew` is false. `ageMs` is null when there
 * is no picture at all, NaN when its clock could not be read.
 */
export async function readPictures(page, selector = "video", withinMs = 1500) {
  const { SQUARE, COLUMNS, ROWS, WIDTH, HEIGHT } = stamp;
  const read = await page.evaluate(readInPage, { selector, withinMs, SQUARE, COLUMNS, ROWS, WIDTH, HEIGHT });
  return read.map(({ at, squares, ...rest }) => {
    if (!squares) return { ...rest, stampMs: null, ageMs: null };
    const stampMs = decode(squares);
    return { ...rest, stampMs, ageMs: stampMs === null ? NaN : age(at, stampMs) };
  });
}

async function readInPage({ selector, withinMs, SQUARE, COLUMNS, ROWS, WIDTH, HEIGHT }) {
  // The luma as it was decoded: a canvas would keep hundreds of megabytes of pictures.
  const squaresOf = async (frame) => {
    const rect = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    const bytes = new Uint8Array(frame.allocationSize({ rect }));
    const [{ offset, stride }] = await frame.copyTo(bytes, { rect });
    frame.close();
    return Array.from({ length: ROWS * COLUMNS }, (_, square) => {
      const row = Math.floor(square / COLUMNS) * SQUARE + SQUARE / 2;
      return bytes[offset + row * stride + (square % COLUMNS) * SQUARE + SQUARE / 2];
    });
  };
  const one = async (video) => {
    const shown = await new Promise((resolve) => {
      const handle = video.requestVideoFrameCallback((_now, { expectedDisplayTime }) => {
        clearTimeout(timer);
        resolve({ frame: new VideoFrame(video), at: expectedDisplayTime, isNew: true });
      });
      const timer = setTimeout(() => {
        video.cancelVideoFrameCallback(handle);
        resolve({ frame: video.readyState >= 2 ? new VideoFrame(video) : null, at: performance.now(), isNew: false });
      }, withinMs);
    });
    const tile = video.closest(".tile");
    // What the page says at this moment.
    const said = {
      name: tile?.dataset.stream,
      mode: tile?.dataset.mode,
      badge: (tile?.querySelector(".tile-badge") ?? document.querySelector(".badge"))?.textContent ?? "",
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      rate: video.playbackRate,
    };
    const squares = shown.frame && (await squaresOf(shown.frame));
    return { ...said, isNew: shown.isNew, at: performance.timeOrigin + shown.at, squares };
  };
  return Promise.all([...document.querySelectorAll(selector)].map(one));
}

/** How old the pictures of the one video are: so many, one after the other. */
export async function pictureAges(page, count = 5) {
  const ages = [];
  while (ages.length < count) ages.push((await readPictures(page))[0]?.ageMs ?? null);
  return ages;
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}
