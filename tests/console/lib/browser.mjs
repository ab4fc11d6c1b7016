// browser.mjs - Debian's Chromium, driven by playwright-core; every page listens for what must never happen:
// an error of a script, a breach of the policy, a request to another host.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Browser {
    static async open(url) {
        const self = new Browser();
        self.url = url;
        self.contexts = new Set();
        self.wrongs = [];
        self.chromium = await chromium.launch({ executablePath: CHROMIUM, args: flags });
        return self;
    }

    watch(page) {
        // A gateway that is away and a refusal are answers; anything else in the console is a fault.
        const expected = /Failed to load resource|net::ERR_/;
        page.on("console", (m) => m.type() === "error" && !expected.test(m.text()) && this.wrongs.push(`console: ${m.text()}`));
        page.on("pageerror", (error) => this.wrongs.push(`script: ${error.stack ?? error}`));
        page.on("request", (request) => {
            const to = request.url();
            if (!to.startsWith(this.url) && !to.startsWith("data:") && !to.startsWith("blob:")) this.wrongs.push(`asked another host: ${to}`);
        });
    }

    /* A fresh visitor: language, theme, width; with a token already there, or at the login. `before` meets the
     * page while it is still empty: to stand between it and the gateway, or to hold its clock. */
    async page({ token, hash = "#/", language = "fa", theme = "light", width = 1280, height = 900, samples, before } = {}) {
        const context = await this.chromium.newContext({ viewport: { width, height }, acceptDownloads: true, permissions: ["clipboard-write"] });
        this.contexts.add(context);
        const prefs = JSON.stringify({ language, theme });
        await context.addInitScript(([p, t, s]) => {
            localStorage.getItem("estelam.prefs") ?? localStorage.setItem("estelam.prefs", p);
            if (sessionStorage.getItem("test.begun")) return;
            sessionStorage.setItem("test.begun", "1");
            if (t) sessionStorage.setItem("estelam.token", t);
            if (s) localStorage.setItem("estelam.samples", s);
        }, [prefs, token, samples]);
        const page = await context.newPage();
        page.setDefaultTimeout(15_000);
        this.watch(page);
        await before?.(page);
        await page.goto(`${this.url}/${hash}`);
        return page;
    }

    async closePages() {
        await Promise.all([...this.contexts].map((context) => context.close().catch(() => {})));
        this.contexts.clear();
    }

    close() {
        return this.chromium.close();
    }
}

/* Violations of WCAG 2.0, 2.1 and 2.2 at A and AA, as sentences. */
export async function violations(page) {
    await page.evaluate(axe);
    return page.evaluate(async () => {
        const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
        const { violations: found } = await window.axe.run(document, { runOnly: { type: "tag", values: rules } });
        return found.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} (${n.any[0]?.message ?? n.failureSummary})`).join("; ")}`);
    });
}
