// Pictures of every screen: light and dark, desktop and phone, English and Chinese. To be looked at.

import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Watch } from "./browser.mjs";
import { fault, pause, signIn, visit } from "./steps.mjs";

const SHOTS = fileURLToPath(new URL(".shots/", import.meta.url));
const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
/** As narrow as a page must bear without scrolling sideways. */
const NARROWEST = { width: 320, height: 700 };

export async function takeShots(test, browser, origins, only) {
  mkdirSync(SHOTS, { recursive: true });
  const troubles = [];
  for (const locale of ["en", "zh-CN"]) {
    const watch = await Watch.open(browser, origins, { locale });
    watch.allows = [/status of/, /ERR_/, /Cross-Origin-Opener-Policy/];
    const { page } = watch;
    const shoot = async (name) => {
      if (only && !name.includes(only)) return;
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ["dark", "light"]) {
          await page.emulateMedia({ colorScheme });
          await pause(250);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (wide > 0) troubles.push(`${name} ${size} ${locale}: ${wide} px too wide`);
          await page.screenshot({ path: path.join(SHOTS, `${name}-${locale}-${size}-${colorScheme}.png`) });
        }
      }
      await page.setViewportSize(NARROWEST);
      await pause(150);
      const wide = await page.evaluate(() => {
        const main = document.querySelector("main");
        return Math.max(document.documentElement.scrollWidth - innerWidth, main ? main.scrollWidth - main.clientWidth : 0);
      });
      if (wide > 0) troubles.push(`${name} 320 px ${locale}: ${wide} px too wide`);
      await page.setViewportSize(SIZES.desktop);
    };
    await screens({ ...test, page, watch }, shoot);
    troubles.push(...(await watch.close()));
  }
  return troubles;
}

async function screens(test, shoot) {
  const { page, site } = test;
  await page.goto(`http://console.test:${site.port}/console/`);
  await page.locator("pre").waitFor();
  await shoot("insecure");
  await page.goto(`${site.url}/console/`);
  await page.locator("input[name=key]").waitFor();
  await shoot("signin");
  await page.locator("input[name=key]").fill("AKIDNOBODY");
  await page.locator("input[name=secret]").fill("wrong");
  await page.locator("button[type=submit]").click();
  await page.locator("[role=alert]").waitFor();
  await shoot("signin-wrong");
  await signIn(test, "/console/");
  await page.locator(".stream-row img").first().waitFor();
  await pause(6000);
  await shoot("list");
  await page.locator(".streams-columns .check").click();
  await page.locator(".streams-selection").waitFor();
  await shoot("list-selected");
  await page.locator(".streams-selection .danger").click();
  await page.locator("dialog").waitFor();
  await pause(500);
  await shoot("delete-many");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.locator("dialog").waitFor();
  await shoot("create");
  await page.keyboard.press("Escape");
  await visit(page, "/console/streams?q=xyz&state=silent");
  await page.locator(".empty").waitFor();
  await shoot("nothing-matches");
  await visit(page, "/console/settings");
  await page.locator(".settings").waitFor();
  await shoot("settings");
  await visit(page, "/console/settings/health");
  await page.locator(".health-disk").waitFor();
  await shoot("health");
  await visit(page, "/console/streams/gate-3");
  await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 1, undefined, { timeout: 30_000 });
  await pause(6000);
  await shoot("stream");
  await page.locator(".badge").click();
  await pause(1000);
  await shoot("stream-stats");
  await page.locator(".badge").click();
  await page.locator("[role=tab]").nth(1).click();
  await page.locator(".fragment-row").nth(1).click();
  await page.locator(".fragment-chosen").waitFor();
  await page.locator(".stream-side").scrollIntoViewIfNeeded();
  await shoot("stream-fragments");
  await page.locator("[role=tab]").nth(2).click();
  await shoot("stream-details");
  await page.locator("[role=tab]").nth(3).click();
  await page.locator(".lab form select").first().selectOption("ON_DEMAND");
  await page.locator(".lab form button[type=submit]").click();
  await page.locator(".lab .code").nth(1).waitFor();
  await page.locator(".stream-side").scrollIntoViewIfNeeded();
  await shoot("stream-lab");
  await page.locator(".stream-head .button").click();
  await page.locator(".menu").waitFor();
  await shoot("stream-menu");
  await page.locator(".menu-item").first().click();
  await page.locator("dialog .tag-row").first().waitFor();
  await shoot("tags");
  await page.keyboard.press("Escape");
  await visit(page, "/console/wall/2x2?s=gate-3,hall");
  await page.locator(".tile.is-live").waitFor({ timeout: 30_000 });
  await page.locator(".tile.is-off").waitFor({ timeout: 30_000 });
  await pause(2000);
  await shoot("wall");
  await page.locator(".tile.is-live .tile-menu .button").click();
  await page.locator(".menu").waitFor();
  await shoot("wall-menu");
  await page.keyboard.press("Escape");
  await page.locator(".tile.is-live .tile-hit").dblclick();
  await page.locator(".tile.is-enlarged").waitFor();
  await page.keyboard.press("i");
  await pause(1500);
  await shoot("wall-enlarged");
  await page.keyboard.press("i");
  await page.keyboard.press("Escape");
  await visit(page, "/console/wall/2x2?s=nobody,gate-3");
  await pause(3000);
  await shoot("wall-error");
  const at = new Date(Date.now() - 20_000).toISOString();
  await visit(page, "/console/streams");
  await visit(page, `/console/streams/gate-3?t=${at}`);
  await page.locator(".is-live, .player-bar .button").first().waitFor();
  await pause(4000);
  await shoot("stream-recording");
  const [from, to] = [Date.now() - 3_600_000, Date.now() - 8000].map((ms) => new Date(ms).toISOString());
  await visit(page, `/console/streams/gate-3?t=${at}&in=${from}&out=${to}`);
  await page.locator(".export-gaps").waitFor();
  await page.locator(".export-panel .button.primary").click();
  await page.locator(".export-job").waitFor();
  await page.locator(".export-panel").scrollIntoViewIfNeeded();
  await pause(1500);
  await shoot("stream-export");
  await page.locator("h1").click();
  await page.keyboard.press("?");
  await page.locator("dialog .keys").first().waitFor();
  await shoot("keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("gate 3 14:05");
  await page.locator(".palette-row").first().waitFor();
  await pause(500);
  await shoot("palette");
  await page.keyboard.press("Escape");
  await visit(page, "/console/streams/hall");
  await page.locator(".stream-page .empty").waitFor();
  await shoot("stream-nothing");
  await visit(page, "/console/streams/nobody");
  await page.locator(".empty").waitFor();
  await shoot("stream-gone");
  await visit(page, "/console/nowhere");
  await page.locator(".empty").waitFor();
  await shoot("unknown");
  await fault(page, "**/listStreams", 403, "AccessDeniedException",
    "User: arn:aws:iam::000000000000:user/guard is not authorized to perform: kinesisvideo:ListStreams on resource: *");
  await visit(page, "/console/streams");
  await page.locator("[role=alert]").waitFor();
  await shoot("denied");
  await page.unroute("**/listStreams");
  await fault(page, "**/describeStream", 500, "InternalFailure", "The request failed because of an internal error.");
  await visit(page, "/console/streams/gate-3");
  await page.locator("[role=alert]").waitFor();
  await shoot("error");
  await page.unroute("**/describeStream");
  await page.route("**/listStreams", (route) => route.fulfill({
    headers: { "access-control-allow-origin": "*" }, json: { StreamInfoList: [], NextToken: null },
  }));
  await visit(page, "/console/streams");
  await page.locator(".door").first().waitFor();
  await shoot("first-run");
  await page.unroute("**/listStreams");
  await visit(page, "/console/settings");
  await visit(page, "/console/streams");
  await page.locator(".stream-row").first().waitFor();
  await page.context().setOffline(true);
  await page.locator(".banner").waitFor({ timeout: 20_000 });
  await shoot("offline");
  await page.context().setOffline(false);
}
