import preact from "@preact/preset-vite";
import { defineConfig } from "vitest/config";
import { hlsFromSource } from "./hls-build.ts";

export default defineConfig({
  base: "/console/",
  plugins: [hlsFromSource(), preact({ devToolsEnabled: false, prefreshEnabled: false })],
  build: {
    target: "es2022",
    // An inlined asset would be a data: URL, a module preload polyfill an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
