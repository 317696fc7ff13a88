// Keys stay in the tab's memory, and nobody frames the page.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { REFUSED, fillIn, moves, pause, visit } from "../steps.mjs";

const TOKEN = "FwoGZXIvYXdzEXAMPLETOKENTHATNOBODYMAYSEE//////////wEaDMadeUpForThisTest";

/** Everything of this page that outlives a moment, or that others can read. */
async function traces(page) {
  const found = await page.evaluate(async () => ({
    location: location.href,
    history: (window.navigation?.entries() ?? []).map(({ url }) => url),
    localStorage: JSON.stringify({ ...localStorage }),
    sessionStorage: JSON.stringify({ ...sessionStorage }),
    indexedDB: JSON.stringify(await indexedDB.databases()),
    caches: JSON.stringify(await caches.keys()),
    cookie: document.cookie,
    title: `${document.title} ${window.name}`,
    fields: [...document.querySelectorAll("input, textarea")].map(({ value }) => value),
    html: document.documentElement.outerHTML,
  }));
  return Object.entries(found).map(([where, what]) => [where, typeof what === "string" ? what : what.join("\n")]);
}

/** What must not be seen, as it becomes known: signatures, and tokens of playback sessions. */
function gather(page, secrets) {
  page.on("request", (request) => {
    const signature = /Signature=(\w+)/.exec(request.headers()["authorization"] ?? "")?.[1];
    if (signature) secrets.set(signature, `signature of ${request.url()}`);
    const token = new URL(request.url()).searchParams.get("SessionToken");
    if (token) secrets.set(token, "playback token");
  });
  page.on("websocket", (socket) => {
    const signature = new URL(socket.url()).searchParams.get("X-Amz-Signature");
    if (signature) secrets.set(signature, "signature of OpenLive");
  });
}

async function walk(page, look, { hasFeed, linger }) {
  await page.locator(".stream-row").first().waitFor();
  await look("list");
  await page.keyboard.press("n");
  await page.locator("dialog").waitFor();
  await look("dialog");
  await page.keyboard.press("Escape");
  await visit(page, "/console/streams/gate-3");
  await moves(page, 1, 20_000);
  await page.locator(".badge").click();
  await linger(5000);
  await look("stream, live");
  await page.locator("h1").click();
  await page.keyboard.press("ArrowLeft");
  await page.waitForURL(/\?t=/);
  await linger(5000);
  await look("stream, back in time");
  await page.keyboard.press("l");
  await page.getByRole("tab", { name: "Details" }).click();
  await look("details");
  await page.getByRole("tab", { name: "Lab" }).click();
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("HLSStreamingSessionURL").last().waitFor();
  await look("Lab");
  if (hasFeed) {
    await visit(page, "/console/wall?s=gate-3");
    await page.locator(".tile.is-live").waitFor();
    await page.keyboard.press("i");
    await linger(8000);
    await look("wall");
    await page.locator(".tile-hit").dblclick();
    await page.locator(".tile.is-enlarged").waitFor();
    await linger(2000);
    await look("enlarged tile");
  }
  await visit(page, "/console/settings");
  await page.locator(".settings").waitFor();
  await linger(3000);
  await look("settings");
  await page.getByRole("button", { name: "Sign out" }).first().click();
  await page.locator("input[name=secret]").waitFor();
  await look("signed out");
}

async function walkWatched(test, secrets, options, signIn) {
  const { page } = test;
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  gather(page, secrets);
  const begun = Date.now();
  await page.goto(`${test.site.url}/console/`);
  await signIn();
  await page.locator(".shell").waitFor();
  const linger = (ms) => pause(test.isShort ? ms : 2.5 * ms);
  let places = 0;
  await walk(page, async (place) => {
    places += 1;
    for (const [where, text] of [...(await traces(page)), ["console", said.join("\n")]]) {
      for (const [secret, what] of secrets) assert.ok(!text.includes(secret), `${place}: ${what} in ${where}`);
      if (where === "indexedDB" || where === "caches") assert.equal(text, "[]", `${place}: ${where}`);
    }
  }, { ...options, linger });
  test.notes.push(`${secrets.size} secrets looked for in ${places} places, ${Math.round((Date.now() - begun) / 1000)} s`);
}

export default [
  {
    name: "a key, its signatures and playback tokens are nowhere but in memory",
    run: async (test) => {
      const { accessKeyId, secretAccessKey } = test.server.credentials;
      const secrets = new Map([[secretAccessKey, "secret key"]]);
      await walkWatched(test, secrets, { hasFeed: true }, () => fillIn(test.page, accessKeyId, secretAccessKey));
      assert.ok([...secrets.values()].some((what) => what === "signature of OpenLive"));
      assert.ok([...secrets.values()].some((what) => what === "playback token"));
    },
  },
  {
    name: "a session token is nowhere but in memory",
    run: async (test) => {
      const { page, server, watch } = test;
      watch.allows = REFUSED;
      const secrets = new Map([["temporarySecretOfTheTest", "secret key"], [TOKEN, "session token"]]);
      // The server knows no such token: it is asked by the test, with a key that it knows.
      let sent = 0;
      await page.route((url) => url.origin === server.url, async (route) => {
        const request = route.request();
        if (request.method() !== "POST") return route.continue();
        sent += request.headers()["x-amz-security-token"] === TOKEN ? 1 : 0;
        const operation = new URL(request.url()).pathname.slice(1);
        const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "x-amzn-errortype" };
        await server.call(operation, request.postDataJSON()).then(
          (json) => route.fulfill({ headers, json }),
          ({ kind }) => route.fulfill({ status: 400, headers: { ...headers, "x-amzn-errortype": kind ?? "" }, json: {} }),
        ).catch(() => {}); // the page has gone on
      });
      // The feed takes no signature but the page's own.
      await walkWatched(test, secrets, { hasFeed: false }, async () => {
        await page.getByText("Temporary credentials").click();
        await page.locator("input[name=token]").fill(TOKEN);
        await fillIn(page, "ASIAEXAMPLE", "temporarySecretOfTheTest");
      });
      assert.ok(sent > 10, `${sent} calls with the token`);
    },
  },
  {
    name: "nobody frames the page",
    needs: "nothing",
    run: async (test) => {
      const { page, site, server, watch, origins } = test;
      watch.allows = [/frame-ancestors/];
      const refusals = [];
      page.on("console", (message) => { if (message.text().includes("frame-ancestors")) refusals.push(message.text()); });
      const pages = [`${site.url}/console/`, `${server.url}/console/`];
      const other = createServer((_request, response) => {
        response.setHeader("content-type", "text/html");
        response.end(`<!doctype html><title>other</title>${pages.map((url) => `<iframe src="${url}"></iframe>`).join("")}`);
      });
      await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
      try {
        const url = `http://127.0.0.1:${other.address().port}/`;
        origins.push(new URL(url).origin);
        await page.goto(url);
        await pause(1500);
        const frames = page.frames().filter((frame) => frame !== page.mainFrame());
        assert.equal(frames.length, pages.length);
        for (const frame of frames) {
          assert.match(frame.url(), /^(chrome-error:|about:blank|$)/);
          assert.equal(await frame.locator("#app").count(), 0);
        }
        assert.equal(refusals.length, pages.length);
      } finally {
        other.closeAllConnections();
        other.close();
      }
    },
  },
];
