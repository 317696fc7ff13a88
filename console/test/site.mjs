// Serves console/dist as the server does: any path is a place in the page, under the same policy, packed.
// The API is at another origin here, so the policy lets calls go there; or behind the page's own, as in life.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer, request as ask } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };

function policy(api) {
  const elsewhere = api ? ` ${api} ${api.replace(/^http/, "ws")}` : "";
  return [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
    "media-src 'self' blob:", `connect-src 'self'${elsewhere}`, "worker-src 'self'", "font-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    "trusted-types worker",
  ].join("; ");
}

/** `session` answers POST /console/session: a token's credentials, or null. `isOne`: page and API are one origin. */
export async function serveSite(api, session = () => null, { isOne = false } = {}) {
  if (!existsSync(path.join(DIST, "index.html"))) throw new Error("console/dist is missing: npm run build");
  // Read once: a build meanwhile does not change what is tested.
  const files = new Map(readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .map((file) => [path.relative(DIST, file), readFileSync(file)]));
  const packed = new Map([...files].map(([name, data]) => [name, gzipSync(data)]));
  const told = isOne ? "" : api;
  let isUpgraded = false;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    response.setHeader("content-security-policy", policy(told));
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
    if (isOne && !pathname.startsWith("/console")) return forward(api, request, response);
    if (!pathname.startsWith("/console/")) {
      response.writeHead(pathname === "/console" ? 302 : 404, { location: "/console/" }).end();
      return;
    }
    const name = pathname.slice("/console/".length);
    if (isUpgraded && name.startsWith("assets/")) return void response.writeHead(404).end();
    if (files.has(name) && name !== "index.html") {
      response.writeHead(200, {
        "content-type": `${TYPES[path.extname(name)] ?? "text/plain"}; charset=utf-8`, "content-encoding": "gzip",
        "cache-control": name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      });
      response.end(packed.get(name));
      return;
    }
    const page = files.get("index.html").toString().replaceAll("assets/", isUpgraded ? "assets/new-" : "assets/");
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" });
    response.end(page.replace('name="streamkeep-api" content=""', `name="streamkeep-api" content="${told}"`));
  });
  server.on("upgrade", (request, socket, head) => upgrade(api, request, socket, head));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** As after an upgrade: the page is made of other files, and the old ones are gone. */
    upgrade: (isOn) => { isUpgraded = isOn; },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** To the API, under the name that the page knows: signatures are over it. */
function forward(api, request, response) {
  const { method, url, headers } = request;
  const asked = ask(new URL(url, api), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  asked.on("error", () => response.destroy());
  response.on("close", () => asked.destroy());
  request.pipe(asked);
}

function upgrade(api, { method, url, headers }, socket, head) {
  const asked = ask(new URL(url, api), { method, headers });
  asked.on("upgrade", (answer, other, otherHead) => {
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
    socket.write(otherHead);
    other.write(head);
    other.pipe(socket).pipe(other);
    for (const end of [socket, other]) end.on("error", () => [socket, other].forEach((both) => both.destroy()));
  });
  asked.on("response", (answer) => {
    socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\n\r\n`);
  });
  asked.on("error", () => socket.destroy());
  asked.end();
}
