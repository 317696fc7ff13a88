// The page and the players, from an origin of their own: what the service gives crosses origins.

import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));

const FILES = {
  "/player.html": ["page/player.html", "text/html"],
  "/sdk.html": ["page/sdk.html", "text/html"],
  "/sdk.mjs": ["page/sdk.mjs", "text/javascript"],
  "/aws-sdk.js": ["node_modules/aws-sdk/dist/aws-sdk.min.js", "text/javascript"],
  "/page.mjs": ["page/page.mjs", "text/javascript"],
  "/monitor.mjs": ["page/monitor.mjs", "text/javascript"],
  "/stamp.mjs": ["stamp.mjs", "text/javascript"],
  "/hls.js": ["node_modules/hls.js/dist/hls.min.js", "text/javascript"],
  "/shaka.js": ["node_modules/shaka-player/dist/shaka-player.compiled.js", "text/javascript"],
  "/dash.js": ["node_modules/dashjs/dist/modern/umd/dash.all.min.js", "text/javascript"],
};

/** Serves the page; `url` and `close`. */
export async function servePages() {
  for (const [file] of Object.values(FILES)) {
    if (!existsSync(path.join(HERE, file))) throw new Error(`${file} is missing: run npm ci`);
  }
  const server = createServer((request, response) => {
    const known = FILES[new URL(request.url, "http://page").pathname];
    if (!known) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": `${known[1]}; charset=utf-8` });
    createReadStream(path.join(HERE, known[0])).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
