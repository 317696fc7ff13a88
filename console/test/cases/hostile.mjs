// Texts from elsewhere that would like to be more than texts. The server lets no such name or tag in: the
// answers are made up.

import assert from "node:assert/strict";
import { REFUSED, fault, pause, signIn, visit } from "../steps.mjs";

const HOSTILE = "<img src=x onerror=alert(1)>";
const HEADERS = { "access-control-allow-origin": "*" };

const hostileStream = {
  StreamName: HOSTILE, StreamARN: `arn:aws:kinesisvideo:us-west-2:000000000000:stream/${HOSTILE}/1`, DeviceName: HOSTILE,
  MediaType: HOSTILE, KmsKeyId: HOSTILE, Version: HOSTILE, Status: "ACTIVE", CreationTime: 1_795_000_000, DataRetentionInHours: 24,
};

/** No element and no listener was made of it, and nobody was alarmed; it is there to be read. */
async function check(page, dialogs, where, { isText = true } = {}) {
  await pause(300);
  const found = await page.evaluate(() => ({
    made: [...document.querySelectorAll("*")]
      .filter((element) => element.matches("img[src='x']") || [...element.attributes].some(({ name }) => name.startsWith("on")))
      .map((element) => element.outerHTML.slice(0, 200)),
    text: `${document.body.innerText} ${[...document.querySelectorAll("input")].map(({ value }) => value).join(" ")}`,
  }));
  assert.deepEqual(found.made, [], where);
  assert.deepEqual(dialogs, [], where);
  if (isText) assert.ok(found.text.includes(HOSTILE), `${where}: it is not shown`);
}

export default [
  {
    name: "hostile names, tags and messages are text",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [...REFUSED, /status of 500/];
      const dialogs = [];
      page.on("dialog", (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      const at = (where, options) => check(page, dialogs, where, options);
      await page.route("**/listTagsForStream", (route) => route.fulfill({
        headers: HEADERS, json: { Tags: { site: HOSTILE, [HOSTILE]: HOSTILE, "streamkeep:timezone": HOSTILE }, NextToken: null },
      }));
      await page.route("**/streamkeep/getStreamTags", (route) => route.fulfill({
        headers: HEADERS,
        json: {
          Streams: route.request().postDataJSON().Streams.map((StreamName) => ({
            StreamName, Error: null, Tags: { site: HOSTILE, [HOSTILE]: HOSTILE, "streamkeep:timezone": HOSTILE },
          })),
        },
      }));
      await signIn(test, "/console/streams/gate-3");
      await page.locator(".stream-page").waitFor();
      await page.getByRole("tab", { name: "Details" }).click();
      await page.getByText(`site=${HOSTILE}`).waitFor();
      await at("tags of a stream");
      await page.getByRole("button", { name: "More" }).click();
      await page.getByRole("menuitem", { name: "Tags" }).click();
      await page.locator("dialog .tag-row").first().waitFor();
      await at("dialog of tags");
      await page.keyboard.press("Escape");

      await page.route("**/listStreams", (route) => route.fulfill({
        headers: HEADERS, json: { StreamInfoList: [hostileStream, { ...hostileStream, StreamName: "gate-3" }], NextToken: null },
      }));
      await visit(page, "/console/streams");
      await page.locator(".stream-row").first().waitFor();
      await at("list");
      await page.locator(".stream-row .check").first().click();
      await page.locator(".streams-selection").getByRole("button", { name: "Delete" }).click();
      await page.locator("dialog").waitFor();
      await at("dialog of deletion");
      await page.keyboard.press("Escape");
      await visit(page, "/console/wall");
      await page.locator(".tile").first().waitFor();
      await pause(2000);
      await at("wall");

      for (const [status, exception] of [[500, HOSTILE], [403, "AccessDeniedException"], [404, "ResourceNotFoundException"]]) {
        await fault(page, "**/describeStream", status, exception, HOSTILE);
        await visit(page, "/console/streams");
        await visit(page, `/console/streams/${encodeURIComponent(HOSTILE)}`);
        await page.locator(".error-box, .empty, [role=alert]").first().waitFor();
        await at(`error ${status} of a stream`);
        await page.unroute("**/describeStream");
      }
      await fault(page, "**/getHLSStreamingSessionURL", 400, "InvalidArgumentException", HOSTILE);
      await visit(page, "/console/streams/gate-3");
      await page.locator(".player .message").waitFor();
      await at("error of the player");
      await page.unroute("**/listStreams");
      await fault(page, "**/listStreams", 500, "InternalFailure", HOSTILE);
      await visit(page, "/console/wall");
      await page.locator("[role=alert]").first().waitFor();
      await at("error of the wall");
      await visit(page, `/console/streams?q=${encodeURIComponent(HOSTILE)}&sort=${encodeURIComponent(HOSTILE)}`);
      await pause(500);
      await at("a query");
      await visit(page, `/console/${encodeURIComponent(HOSTILE)}`);
      await page.locator(".empty").waitFor();
      await at("a place", { isText: false });
    },
  },
];
