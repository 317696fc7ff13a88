// Denials, errors, a lost server; what assistive technology finds.

import assert from "node:assert/strict";
import { axe } from "../axe.mjs";
import { REFUSED, alert, fault, moves, pause, signIn, visit } from "../steps.mjs";

/** The network goes, and comes back: then there is no banner, or one with these words. */
async function comesBack(page, words) {
  await page.context().setOffline(true);
  await page.getByText("does not answer").waitFor({ timeout: 20_000 });
  await page.context().setOffline(false);
  await page.getByText("does not answer").waitFor({ state: "detached", timeout: 20_000 });
  if (words) await page.locator(".banner", { hasText: words }).waitFor();
  else await pause(500);
}

export default [
  {
    name: "denied: a stream is opened by name",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = REFUSED;
      await fault(page, "**/listStreams", 403, "AccessDeniedException", "User is not authorized to perform: kinesisvideo:ListStreams");
      await signIn(test);
      assert.match(await alert(page), /may not do that/);
      assert.match(await alert(page), /AccessDeniedException/);
      await page.locator(".centre input").fill("gate-3");
      await page.keyboard.press("Enter");
      await page.locator(".stream-page").waitFor();
    },
  },
  {
    name: "an error names its exception and request, and is tried again",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [/status of 500/, /status of 404/];
      await signIn(test);
      await page.locator(".stream-row").waitFor();
      await fault(page, "**/describeStream", 500, "InternalFailure", "The request failed because of an internal error.");
      await visit(page, "/console/streams/gate-3");
      assert.match(await alert(page), /InternalFailure[\s\S]*r-e2e/);
      await page.unroute("**/describeStream");
      await page.getByRole("button", { name: "Retry" }).click();
      await page.locator(".stream-page").waitFor();
      await visit(page, "/console/streams/nobody");
      await page.getByText("There is no stream nobody").waitFor();
    },
  },
  {
    name: "offline: a banner counts, reads stay, writes wait; back again by itself",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [/ERR_INTERNET_DISCONNECTED|ERR_FAILED/];
      await signIn(test);
      await page.locator(".stream-row").waitFor();
      await page.context().setOffline(true);
      await page.locator(".banner").waitFor({ timeout: 20_000 });
      assert.match(await page.locator(".banner").innerText(), /Last answer at \d\d:\d\d:\d\d/);
      assert.equal(await page.locator(".stream-row").count(), 1);
      assert.equal(await page.getByRole("button", { name: "Create stream" }).isEnabled(), false);
      await page.context().setOffline(false);
      await page.locator(".banner").waitFor({ state: "detached", timeout: 20_000 });
    },
  },
  {
    name: "upgraded: the page says so, keeps what it shows, and is loaded anew when one wants",
    run: async (test) => {
      const { page, site, watch } = test;
      watch.allows = [/ERR_INTERNET_DISCONNECTED|ERR_FAILED/, /status of 404/, /Refused to apply style/];
      await signIn(test);
      await page.locator(".stream-row").waitFor();
      await comesBack(page);
      assert.equal(await page.locator(".banner").count(), 0);
      site.upgrade(true);
      try {
        await visit(page, "/console/settings/health");
        await page.locator("main").getByText("could not be loaded").waitFor();
        await page.locator(".banner", { hasText: "The server was upgraded" }).waitFor();
        assert.equal(await page.getByRole("button", { name: "Retry" }).count(), 0);
        site.upgrade(false);
        await page.locator("main").getByRole("button", { name: "Reload" }).click();
        await page.locator("input[name=key]").waitFor();
        assert.match(page.url(), /settings\/health$/);
        await signIn(test);
        await page.locator(".stream-row").waitFor();
        site.upgrade(true);
        await comesBack(page, "The server was upgraded");
        assert.equal(await page.locator(".stream-row").count(), 1);
      } finally {
        site.upgrade(false);
      }
    },
  },
  {
    name: "a part of the page that does not come is tried again",
    run: async (test) => {
      const { page, watch } = test;
      watch.allows = [/ERR_FAILED/];
      await signIn(test);
      await page.route("**/assets/health-page-*", (route) => route.abort());
      await visit(page, "/console/settings/health");
      await page.getByText("could not be loaded").waitFor();
      assert.equal(await page.locator(".banner").count(), 0);
      await page.unroute("**/assets/health-page-*");
      await page.getByRole("button", { name: "Retry" }).click();
      await page.locator(".health-disk").waitFor();
    },
  },
  {
    name: "axe finds nothing, in both themes",
    run: async (test) => {
      const { page, site } = test;
      const found = [];
      const look = async (what) => { found.push(...(await axe(page, what))); };
      await page.goto(`${site.url}/console/`);
      await page.locator("input[name=key]").waitFor();
      await look("sign-in");
      await signIn(test);
      await page.locator(".stream-row img").waitFor();
      await look("list");
      await page.keyboard.press("n");
      await page.locator("dialog").waitFor();
      await look("create");
      await page.keyboard.press("Escape");
      await visit(page, "/console/settings");
      await page.locator(".settings").waitFor();
      await look("settings");
      await visit(page, "/console/settings/health");
      await page.locator(".health-disk").waitFor();
      await look("health");
      await visit(page, "/console/streams/gate-3");
      await moves(page);
      await look("stream");
      await page.locator(".badge").click();
      await page.getByRole("tab", { name: "Lab" }).click();
      await look("stats and Lab");
      await page.getByRole("tab", { name: "Details" }).click();
      await page.getByRole("button", { name: "More" }).click();
      await look("details and menu");
      assert.deepEqual(found, []);
    },
  },
];
