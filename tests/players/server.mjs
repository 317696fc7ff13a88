// A `streamkeep serve` process of its own, and signed calls to it.

import { spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const REGION = "us-west-2";
// The pair that AWS's documentation uses.
const ACCESS_KEY = "AKIDEXAMPLE";
const SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/** The server under test: $STREAMKEEP, else the newest build. */
function binary() {
  const server = process.env.STREAMKEEP ? path.resolve(process.env.STREAMKEEP) : newest();
  const decoder = path.join(path.dirname(server), "streamkeep-decoder");
  if (!existsSync(decoder)) throw new Error(`no ${decoder}: without it there are no stills; build it too`);
  return server;
}

function newest() {
  const built = ["debug", "release"]
    .map((kind) => path.join(ROOT, "target", kind, "streamkeep"))
    .filter(existsSync)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (!built.length) throw new Error("no server: build it, or name it with STREAMKEEP");
  return built[0];
}

export async function freePort() {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    const probe = createServer();
    const isFree = await new Promise((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}

export class Server {
  static async start() {
    const server = new Server();
    server.directory = mkdtempSync(path.join(tmpdir(), "streamkeep-players-"));
    const [port, tlsPort] = [await freePort(), await freePort()];
    server.url = `http://127.0.0.1:${port}`;
    server.logPath = path.join(server.directory, "server.log");
    const log = openSync(server.logPath, "a");
    server.process = spawn(binary(), [
      "serve", "--data-dir", path.join(server.directory, "data"),
      "--listen", `127.0.0.1:${port}`, "--tls-listen", `127.0.0.1:${tlsPort}`,
      "--region", REGION, "--volume-size-mib", "64",
    ], {
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        STREAMKEEP_ROOT_ACCESS_KEY_ID: ACCESS_KEY,
        STREAMKEEP_ROOT_SECRET_ACCESS_KEY: SECRET_KEY,
      },
    });
    process.on("exit", () => server.process.kill("SIGKILL")); // whatever ends the run
    await server.#ready();
    return server;
  }

  async #ready() {
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline && this.process.exitCode === null) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the server did not start:\n${this.log()}`);
  }

  log() {
    return readFileSync(this.logPath, "utf8");
  }

  /** What a client of the AWS SDK is made with. */
  get credentials() {
    return {
      endpoint: this.url, region: REGION, accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY,
    };
  }

  /** A client command of the same binary, with standard input open. */
  command(args) {
    return spawn(binary(), args, {
      stdio: ["pipe", "ignore", openSync(path.join(this.directory, "commands.log"), "a")],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: this.url,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY: SECRET_KEY,
      },
    });
  }

  /** Runs a client command to its end. */
  async run(args) {
    const child = this.command(args);
    child.stdin.end();
    const code = await new Promise((resolve) => child.on("exit", resolve));
    if (code !== 0) {
      const log = readFileSync(path.join(this.directory, "commands.log"), "utf8");
      throw new Error(`streamkeep ${args[0]} ended with ${code}:\n${log.slice(-2000)}`);
    }
  }

  /** A signed call of the API; the answer's JSON. */
  async call(operation, input) {
    const target = `/${operation[0].toLowerCase()}${operation.slice(1)}`;
    const body = JSON.stringify(input);
    const headers = sign(this.url, target, body);
    const answer = await fetch(this.url + target, { method: "POST", headers, body });
    const output = await answer.json();
    if (!answer.ok) {
      const kind = answer.headers.get("x-amzn-errortype");
      throw Object.assign(new Error(`${operation}: ${kind}: ${JSON.stringify(output)}`), { kind });
    }
    return output;
  }

  async stop({ keep = false } = {}) {
    if (this.process.exitCode === null) {
      const ended = new Promise((resolve) => this.process.on("exit", resolve));
      this.process.kill("SIGTERM");
      const late = setTimeout(() => this.process.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
    if (keep) console.log(`kept: ${this.directory}`);
    else rmSync(this.directory, { recursive: true, force: true });
  }
}

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

/** Headers of a POST with Signature Version 4. */
function sign(url, target, body) {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const host = new URL(url).host;
  const scope = `${date.slice(0, 8)}/${REGION}/kinesisvideo/aws4_request`;
  const names = "content-type;host;x-amz-date";
  const canonical = [
    "POST", target, "", "content-type:application/json", `host:${host}`, `x-amz-date:${date}`, "",
    names, sha256(body),
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const key = scope.split("/").reduce((key, part) => hmac(key, part), `AWS4${SECRET_KEY}`);
  const signature = hmac(key, text).toString("hex");
  return {
    "content-type": "application/json",
    "x-amz-date": date,
    authorization: `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY}/${scope}, ` +
      `SignedHeaders=${names}, Signature=${signature}`,
  };
}
