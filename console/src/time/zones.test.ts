import { expect, test } from "vitest";
import { ownZone } from "./zone.ts";
import { nextZone, zoneChoice, zoneOf } from "./zones.ts";

test("site, mine, UTC and round again", () => {
  const site = "Asia/Shanghai";
  expect(zoneChoice(undefined, site)).toBe("site");
  expect([nextZone("site", site), nextZone("mine", site), nextZone("utc", site)]).toEqual(["mine", "utc", "site"]);
  expect([zoneOf("site", site), zoneOf("mine", site), zoneOf("utc", site)]).toEqual([site, ownZone(), "UTC"]);
});

test("without a zone of the site, the browser's", () => {
  for (const site of [undefined, "", "Mars/Olympus"]) {
    expect(zoneChoice(undefined, site)).toBe("mine");
    expect(zoneChoice("nonsense", site)).toBe("mine");
    expect(nextZone("utc", site)).toBe("mine");
    expect(zoneOf("site", site)).toBe(ownZone());
  }
});
