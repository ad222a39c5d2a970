// A real `runwell serve` on a temporary data directory, and calls of its API.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = process.env.RUNWELL_PROGRAM ?? join(ROOT, ".venv/bin/runwell");
const PATIENCE_MS = 60_000;

/** Start a server. `signIn`: callers must sign in; `setUp` is then where the first user is made. */
export async function startServer({ signIn = false, env = {}, folder = undefined } = {}) {
  const data = folder ?? (await mkdtemp(join(tmpdir(), "runwell-e2e-")));
  const port = await freePort();
  const server = new Server(data, port, signIn, env);
  await server.start();
  return server;
}

class Server {
  constructor(data, port, signIn, env) {
    Object.assign(this, { data, port, signIn, env });
  }

  async start() {
    const words = ["serve", "--port", String(this.port), ...(this.signIn ? [] : ["--no-auth"])];
    const env = {
      PATH: process.env.PATH,
      HOME: this.data,
      LANG: "C.UTF-8",
      RUNWELL_DATA_DIR: join(this.data, "data"),
      RUNWELL_HTTP_ALLOW: "127.0.0.0/8",
      RUNWELL_RATE_LIMIT: "none",
      ...this.env,
    };
    this.process = spawn(PROGRAM, words, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.said = "";
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    const lines = [];
    this.process.stderr.on("data", (piece) => (this.said += piece));
    const ready = new Promise((resolve, reject) => {
      this.process.stdout.on("data", (piece) => {
        lines.push(String(piece));
        const found = /ready at (\S+)/.exec(lines.join(""));
        if (found) resolve(found[1]);
      });
      void this.ended.then(() => reject(new Error(`the server ended: ${this.said}`)));
    });
    this.address = await ready;
    this.setUp = () => /at (http\S+setup\S+)/.exec(lines.join(""))?.[1];
    await until(async () => (await fetch(`${this.address}/readyz`)).ok);
  }

  /** End the server; its data stay for the next `start`. */
  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
  }

  /** End the server as a power cut would; its data stay for the next `start`. */
  async crash() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  async close() {
    await this.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  async call(method, path, body, headers = {}) {
    const response = await fetch(this.address + path, {
      method,
      headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  get = (path) => this.call("GET", path);
  post = (path, body = {}) => this.call("POST", path, body);

  /** Make a workflow or agent of the document, and publish it. */
  async publish(document, kind = "workflow") {
    const made = await this.post("/v1/workflows", { document, kind });
    await this.post(`/v1/workflows/${made.slug}/versions`);
    return made;
  }

  /** Start a run; return its id. */
  async run(slug, input, params = {}) {
    return (await this.post(`/v1/workflows/${slug}/command`, { command: "start", params: { input, ...params } })).run_id;
  }

  /** Wait until the run has one of these statuses. */
  async runUntil(id, ...statuses) {
    return until(async () => {
      const run = await this.get(`/v1/runs/${id}`);
      return statuses.includes(run.status) && run;
    });
  }
}

/** A neighbour whose answers wait until `release` is called: who asks it is running meanwhile. */
export async function slowNeighbour() {
  const waiting = new Set();
  let open = false;
  const neighbour = createServer((request, response) => {
    const answer = () => response.writeHead(200, { "Content-Type": "application/json" }).end('{"ok": true}');
    if (open) answer();
    else waiting.add(answer);
  });
  await new Promise((resolve) => neighbour.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${neighbour.address().port}/`,
    release() {
      open = true;
      for (const answer of waiting) answer();
      waiting.clear();
    },
    hold: () => (open = false),
    close() {
      neighbour.closeAllConnections();
      neighbour.close();
    },
  };
}

async function freePort() {
  const socket = createSocket();
  await new Promise((resolve) => socket.listen(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/** Wait until the answer is truthy; return it. */
export async function until(ask, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  let last;
  while (Date.now() < end) {
    try {
      const found = await ask();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain${last ? `: ${last}` : ""}`);
}
