// A server that is restarted: the same data, the same address.

import { spawn } from "node:child_process";
import { openSync } from "node:fs";

/** Off, by a signal that it can answer. */
export async function stop(server) {
  const ended = new Promise((resolve) => server.process.once("exit", resolve));
  server.process.kill("SIGTERM");
  await ended;
}

/** On again, as it was started at first. */
export async function start(server) {
  const log = openSync(server.logPath, "a");
  const { accessKeyId, secretAccessKey } = server.credentials;
  server.process = spawn(server.process.spawnfile, server.process.spawnargs.slice(1), {
    stdio: ["ignore", log, log],
    env: {
      ...process.env, STREAMKEEP_ROOT_ACCESS_KEY_ID: accessKeyId, STREAMKEEP_ROOT_SECRET_ACCESS_KEY: secretAccessKey,
    },
  });
  for (const until = Date.now() + 20_000; Date.now() < until;) {
    if ((await fetch(`${server.url}/readyz`).catch(() => null))?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the server did not start again:\n${server.log()}`);
}
