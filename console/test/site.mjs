// Serves console/dist as the server does: any path is a place in the page, under the same policy.
// The API is at another origin here, so the policy lets calls go there.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };

function policy(api) {
  return [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
    "media-src 'self' blob:", `connect-src 'self' ${api} ${api.replace(/^http/, "ws")}`, "worker-src 'self'", "font-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    "trusted-types worker",
  ].join("; ");
}

/** `session` answers POST /console/session: a token's credentials, or null. */
export async function serveSite(api, session) {
  if (!existsSync(path.join(DIST, "index.html"))) throw new Error("console/dist is missing: npm run build");
  // Read once: a build meanwhile does not change what is tested.
  const files = new Map(readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .map((file) => [path.relative(DIST, file), readFileSync(file)]));
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    response.setHeader("content-security-policy", policy(api));
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("referrer-policy", "no-referrer");
    response.setHeader("cross-origin-opener-policy", "same-origin");
    if (request.method === "POST" && pathname === "/console/session") {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const credentials = session(JSON.parse(Buffer.concat(chunks).toString()).token);
      response.writeHead(credentials ? 200 : 403, { "content-type": "application/json" });
      response.end(JSON.stringify(credentials ?? { message: "This sign-in link was used already or has expired." }));
      return;
    }
    if (!pathname.startsWith("/console/")) {
      response.writeHead(pathname === "/console" ? 302 : 404, { location: "/console/" }).end();
      return;
    }
    const name = pathname.slice("/console/".length);
    if (files.has(name) && name !== "index.html") {
      response.writeHead(200, { "content-type": `${TYPES[path.extname(name)] ?? "text/plain"}; charset=utf-8` });
      response.end(files.get(name));
      return;
    }
    const page = files.get("index.html").toString();
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" });
    response.end(page.replace('name="streamkeep-api" content=""', `name="streamkeep-api" content="${api}"`));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
