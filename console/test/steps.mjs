// What cases do in the page.

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A refused call is logged by the browser. */
export const REFUSED = [/status of 40[0-9]/];

export async function signIn(test, path = "/console/") {
  const { page, site, server } = test;
  await page.goto(site.url + path);
  await fillIn(page, server.credentials.accessKeyId, server.credentials.secretAccessKey);
  await page.locator(".shell").waitFor();
}

export async function fillIn(page, key, secret) {
  await page.locator("input[name=key]").fill(key);
  await page.locator("input[name=secret]").fill(secret);
  await page.locator("button[type=submit]").click();
}

/** Goes to another place of the page without loading it anew: the key stays. */
export async function visit(page, path) {
  await page.evaluate((path) => {
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
}

/** A stream's name in the list: other cases leave streams too. */
export const streamLink = (page, name) => page.locator(".stream-row .name").getByText(name, { exact: true });

/** Counts what a person does: a click or a key with its typing is one step. */
export class Steps {
  count = 0;

  constructor(page) {
    this.page = page;
  }

  async press(key) {
    this.count += 1;
    await this.page.keyboard.press(key);
  }

  /** Typing that ends with Enter. */
  async enter(text = "") {
    this.count += 1;
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Enter");
  }

  async click(locator) {
    this.count += 1;
    await locator.click();
  }

  async doubleClick(locator) {
    this.count += 1;
    await locator.dblclick();
  }
}

export const alert = (page) => page.locator("[role=alert]").first().innerText();

/** Media time moves, and the pictures with it. */
export async function moves(page, seconds = 1, withinMs = 15_000) {
  await page.waitForFunction((seconds) => {
    const video = document.querySelector("video");
    if (!video || video.readyState < 2) return false;
    window.movedFrom ??= { time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames, src: video.src };
    if (window.movedFrom.src !== video.src) window.movedFrom = undefined;
    const from = window.movedFrom;
    return from && video.currentTime - from.time >= seconds && video.getVideoPlaybackQuality().totalVideoFrames - from.frames >= 10 * seconds;
  }, seconds, { timeout: withinMs });
  await page.evaluate(() => { window.movedFrom = undefined; });
}

/** A call that matches is refused. */
export async function fault(page, pattern, status, exception, message) {
  await page.route(pattern, (route) => route.fulfill({
    status,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "x-amzn-ErrorType, x-amzn-RequestId",
      "x-amzn-errortype": exception,
      "x-amzn-requestid": "r-e2e",
    },
    json: { message },
  }));
}

/** A list of camera-0 to camera-9999: so many cannot be made in a test's time, so the list alone is made up. */
export async function tenThousandStreams(page) {
  await page.route("**/listStreams", async (route) => {
    const { NextToken, MaxResults } = JSON.parse(route.request().postData());
    const from = Number(NextToken ?? 0);
    const count = Math.min(MaxResults ?? 1000, 1000);
    await route.fulfill({
      headers: { "access-control-allow-origin": "*" },
      json: {
        StreamInfoList: Array.from({ length: count }, (_, n) => madeUp(from + n)),
        NextToken: from + count < 10_000 && MaxResults !== 1 ? String(from + count) : null,
      },
    });
  });
}

const madeUp = (n) => ({
  StreamName: `camera-${n}`, StreamARN: `arn:aws:kinesisvideo:us-west-2:000000000000:stream/camera-${n}/1`,
  DeviceName: null, MediaType: null, KmsKeyId: "", Version: "1", Status: "ACTIVE", CreationTime: 1_795_000_000,
  DataRetentionInHours: 24,
});
