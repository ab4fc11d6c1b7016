// city.mjs - a real city for the browser to look at: deploy/demo/setup.sh in a folder of its own, broker,
// agents and gateway as processes of this one, each stopped and started at will.
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./report.mjs";

const PORTS = 4;

function portIsFree(port) {
    return new Promise((done) => {
        const server = createServer();
        server.once("error", () => done(false));
        server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
}

/* Below the ports that the system gives to whoever connects: one of those may be gone before it is bound. */
async function baseFind() {
    for (let attempt = 0; attempt < 200; attempt++) {
        const base = 20000 + Math.floor(Math.random() * 12000);
        const free = await Promise.all(Array.from({ length: PORTS }, (_, i) => portIsFree(base + 1 + i)));
        if (free.every(Boolean)) return base;
    }
    throw new Error("no free ports");
}

export class City {
    /* programs: the folder of estelam-broker and the others; console: the folder of the built console. */
    static async open(root, programs, console) {
        const city = new City();
        city.dir = mkdtempSync(join(tmpdir(), "estelam-console-"));
        city.env = { ...process.env, PATH: `${programs}:${process.env.PATH}`, ESTELAM_CONSOLE: console };
        city.programs = programs;
        city.running = new Map();
        const base = await baseFind();
        execFileSync(join(root, "deploy/demo/setup.sh"), [city.dir, String(base)], { env: city.env, stdio: ["ignore", "ignore", "inherit"] });
        city.url = `http://127.0.0.1:${base + 4}`;
        city.samples = readFileSync(join(root, "deploy/demo/permit.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
        return city;
    }

    token(name) {
        return readFileSync(join(this.dir, "tokens", name), "utf8").trim();
    }

    estelam(...args) {
        return execFileSync(join(this.programs, "estelam"), args, { env: this.env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    }

    tokenMake(account, scopes) {
        const file = join(this.dir, "tokens.yaml");
        const made = JSON.parse(this.estelam("token", "new", "--json", "--account", account, "--scopes", scopes, "--file", file));
        return { token: made.token, id: made.id };
    }

    tokenRevoke(id) {
        this.estelam("token", "revoke", id, "--file", join(this.dir, "tokens.yaml"));
    }

    start(name, program, args) {
        const log = openSync(join(this.dir, `${name}.log`), "a");
        const out = openSync(join(this.dir, `${name}.out`), "w");
        const child = spawn(join(this.programs, program), args, { env: this.env, stdio: ["ignore", out, log] });
        const over = new Promise((done) => child.once("exit", done));
        this.running.set(name, { child, over });
    }

    async stop(name, signal = "SIGTERM") {
        const entry = this.running.get(name);
        if (!entry) return;
        this.running.delete(name);
        entry.child.kill(signal);
        const killer = setTimeout(() => entry.child.kill("SIGKILL"), 5000);
        await entry.over;
        clearTimeout(killer);
    }

    says(name, line) {
        return until(`${name} to say "${line}"`, () => readFileSync(join(this.dir, `${name}.out`), "utf8").includes(line), 20);
    }

    async brokerStart() {
        this.start("broker", "estelam-broker", ["--config", join(this.dir, "broker.yaml")]);
        await this.says("broker", "listening operators ");
    }

    async gatewayStart() {
        this.start("gateway", "estelam-gateway", ["--config", join(this.dir, "gateway.yaml")]);
        await this.says("gateway", "listening http");
        await until("the gateway to meet the broker", async () => (await this.get("chief", "/v1/whoami")).level);
    }

    departments() {
        return readdirSync(join(this.dir, "agents")).map((file) => file.replace(/\.yaml$/, ""));
    }

    agentStart(department, file = join(this.dir, "agents", `${department}.yaml`)) {
        this.start(`agent-${department}`, "estelam-agent", ["--config", file]);
    }

    agentStop(department) {
        return this.stop(`agent-${department}`);
    }

    /* In place of the department's agent one that refuses everything: what it is asked is parked. */
    refusingAgent(department, type, why) {
        const program = join(this.dir, "refuse.sh");
        writeFileSync(program, `#!/bin/sh\ncat >/dev/null\nprintf '%s\\n' '${JSON.stringify({ refuse: why })}'\n`);
        chmodSync(program, 0o700);
        const real = readFileSync(join(this.dir, "agents", `${department}.yaml`), "utf8");
        const broker = real.slice(real.indexOf("broker:"), real.search(/^workers:/m));
        const file = join(this.dir, `${department}-refuses.yaml`);
        writeFileSync(file, `${broker}exec:\n  command: ["${program}"]\n  types: [${type}]\n`);
        this.agentStart(department, file);
    }

    async ask(token, method, path, body, headers = {}) {
        const response = await fetch(this.url + path, {
            method,
            headers: { Authorization: `Bearer ${this.token(token)}`, ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
            body: body ? JSON.stringify(body) : undefined,
        });
        const text = await response.text();
        return { status: response.status, body: text && response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text };
    }

    async get(token, path) {
        const { status, body } = await this.ask(token, "GET", path);
        if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
        return body;
    }

    /* An inquiry of the type's sample, asked as the portal would; its receipt. A type without a sample needs a body. */
    async submit(type, changes = {}) {
        const sample = this.samples.find((one) => one.type === type) ?? { type, purpose: "permit" };
        const { status, body } = await this.ask("portal", "POST", "/v1/inquiries", { ...sample, ...changes }, { "Idempotency-Key": randomUUID() });
        if (status !== 202 && status !== 200) throw new Error(`submit ${type}: ${status} ${JSON.stringify(body)}`);
        return body;
    }

    ended(number) {
        return until(`inquiry ${number} to end`, async () => {
            const inquiry = await this.get("chief", `/v1/inquiries/${number}`);
            return ["answered", "cancelled", "expired"].includes(inquiry.state) && inquiry;
        });
    }

    async close() {
        await Promise.all([...this.running.keys()].filter((name) => name !== "broker").map((name) => this.stop(name)));
        await this.stop("broker");
        rmSync(this.dir, { recursive: true, force: true });
    }
}
