// Signing in, and what stands in its way.

import assert from "node:assert/strict";
import { REFUSED, alert, fillIn, signIn } from "../steps.mjs";

export default [
  {
    name: "wrong keys are told apart",
    needs: "nothing",
    run: async ({ page, site, server, watch }) => {
      watch.allows = REFUSED;
      await page.goto(`${site.url}/console/`);
      await fillIn(page, "AKIDNOBODY", "wrong");
      assert.match(await alert(page), /does not know this access key/);
      assert.equal(await page.locator("input[name=secret]").inputValue(), "");
      await fillIn(page, server.credentials.accessKeyId, "wrong");
      await page.getByText("does not belong to this access key").waitFor();
    },
  },
  {
    name: "a clock that is off is told with both times, and signing works",
    needs: "nothing",
    run: async (test) => {
      const { page } = test;
      await page.addInitScript(() => {
        const Real = Date;
        const offset = 2 * 3_600_000;
        window.Date = class extends Real {
          constructor(...args) {
            super(...(args.length ? args : [Real.now() + offset]));
          }
          static now() {
            return Real.now() + offset;
          }
        };
      });
      await page.goto(`${test.site.url}/console/`);
      const words = await page.locator(".notice.warn").innerText();
      assert.match(words, /2 h apart|1 h 59 m apart/);
      assert.equal(words.match(/\d\d:\d\d:\d\d/g)?.length, 2);
      await signIn(test);
    },
  },
  {
    name: "a page that is not secure says why",
    needs: "nothing",
    run: async ({ page, site, watch }) => {
      watch.allows = [/Cross-Origin-Opener-Policy header has been ignored/];
      await page.goto(`http://console.test:${site.port}/console/`);
      await page.getByText("This connection is not secure").waitFor();
      assert.equal(await page.locator("input").count(), 0);
      assert.match(await page.locator("pre").innerText(), /--tls-listen/);
    },
  },
  {
    name: "a sign-in link is used once and leaves the URL",
    needs: "nothing",
    run: async ({ page, site, watch }) => {
      watch.allows = REFUSED;
      await page.goto(`${site.url}/console/streams?q=gate#signin=wrong`);
      assert.match(await alert(page), /used already or has expired/);
      await page.goto("about:blank");
      await page.goto(`${site.url}/console/streams?q=gate#signin=good-token`);
      await page.locator(".shell").waitFor();
      assert.equal(page.url(), `${site.url}/console/streams?q=gate`);
      assert.equal(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]).includes("wJalr")), false);
    },
  },
];
