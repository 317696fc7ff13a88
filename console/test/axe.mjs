// What axe-core finds of a page, in both themes.

import { readFileSync } from "node:fs";
import { pause } from "./steps.mjs";

const AXE = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** A line for each violation; `what` is what the page shows. */
export async function axe(page, what) {
  const found = [];
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await pause(200);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of violations) {
      found.push(`${what}, ${colorScheme}: ${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
    }
  }
  return found;
}
