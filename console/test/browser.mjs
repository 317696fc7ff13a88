// A page that is watched: console errors, policy reports and requests to strangers fail the case.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
  // A name that is this machine, but no secure context.
  "--host-resolver-rules=MAP console.test 127.0.0.1",
];

export async function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}`);
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

export class Watch {
  constructor(page, origins) {
    this.page = page;
    this.troubles = [];
    /** A refused call is logged by the browser too; cases that make faults say so. */
    this.allows = [];
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = `${message.text()} ${message.location().url ?? ""}`;
      if (!this.allows.some((allowed) => allowed.test(text))) this.troubles.push(`console: ${text}`);
    });
    page.on("pageerror", (error) => this.troubles.push(`page: ${error.stack ?? error.message}`));
    const ask = (text) => {
      const url = new URL(text.replace(/^ws/, "http"));
      if (["blob:", "data:"].includes(url.protocol) || origins.includes(url.origin)) return;
      this.troubles.push(`foreign request: ${url.origin}`);
    };
    page.on("request", (request) => ask(request.url()));
    page.on("websocket", (socket) => ask(socket.url()));
  }

  static async open(browser, origins, options = {}) {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 }, locale: "en-GB", colorScheme: "dark", timezoneId: "Europe/Berlin", ...options,
    });
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.reports = [];
      document.addEventListener("securitypolicyviolation", (event) => {
        window.reports.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile ?? ""}:${event.lineNumber}`);
      });
    });
    page.setDefaultTimeout(15_000);
    return new Watch(page, origins);
  }

  async close() {
    const reports = await this.page.evaluate(() => window.reports ?? []).catch(() => []);
    for (const report of reports) this.troubles.push(`policy: ${report}`);
    await this.page.context().close();
    return this.troubles;
  }
}
