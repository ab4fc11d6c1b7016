// screenshots.mjs - the main pages as pictures for the READMEs, of a city at work: inquiries trickle in for a
// while, one department's agent is away, something is parked. Small PNGs of 8-bit colour.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "./lib/report.mjs";

const SECONDS = Number(process.env.SCREENSHOT_SECONDS ?? 150);

const shots = (scene) => [
    { name: "login-fa", hash: "#/", nobody: true },
    { name: "overview-fa", hash: "#/", height: 1180 },
    { name: "overview-en", hash: "#/", language: "en", height: 1180 },
    { name: "overview-dark-fa", hash: "#/", theme: "dark", height: 1180 },
    { name: "overview-360-fa", hash: "#/", width: 360, height: 780 },
    { name: "department-fa", hash: "#/department/nosazi", height: 1180 },
    { name: "inquiry-fa", hash: `#/inquiry/${scene.answered}`, height: 900 },
    { name: "inquiry-en", hash: `#/inquiry/${scene.parked}`, language: "en", height: 960 },
    { name: "search-fa", hash: "#/search?q=state:answered", height: 900 },
    { name: "parked-fa", hash: "#/parked", height: 800 },
    { name: "system-en", hash: "#/system", language: "en", height: 1100, token: "chief" },
];

const parcels = ["1-1-1-1-0-0-0", "22-3-15-40-1-12-0", "5-2-8-14-0-0-0", "12-4-30-7-0-0-0"];

async function ask(city, type, n) {
    const { body } = city.samples.find((one) => one.type === type);
    await city.submit(type, body.nz ? { body: { ...body, nz: parcels[n % parcels.length] } } : {});
}

/* Ebb and flow: inquiries come in waves, and some departments rest for some seconds now and then. */
async function traffic(city) {
    const types = city.samples.map((one) => one.type).filter((type) => type !== "metro.harim");
    const resting = new Map(["nosazi", "shahrsazi", "sabt", "bargh", "m100"].map((name) => [name, false]));
    const rest = async (name, on) => {
        if (resting.get(name) === on) return;
        resting.set(name, on);
        await city.ask("duty", "POST", `/v1/departments/${name}/${on ? "pause" : "resume"}`, { reason: "پشتیبان‌گیری" });
    };
    const end = Date.now() + SECONDS * 1000;
    for (let n = 0; Date.now() < end; n++) {
        const names = [...resting.keys()];
        for (let i = 0; i < names.length; i++) await rest(names[i], (n + i * 17) % 60 < 14 + i * 3);
        const burst = 2 + Math.round(2 * Math.sin(n / 11) + Math.sin(n / 3));
        for (let k = 0; k < burst; k++) await ask(city, types[(n * 7 + k * 3) % types.length], n + k);
        if (n % 3 === 0) await ask(city, "nosazi.bedehi", n);
        if (n % 60 === 3) await city.submit("metro.harim");
        await new Promise((done) => setTimeout(done, 400));
    }
    for (const name of resting.keys()) await rest(name, false);
}

/* A city that has been at work for a while, with what an operator would want to see. */
async function work(city) {
    await city.agentStop("archive");
    city.refusingAgent("archive", "archive.savabegh", "پرونده در دست اسکن است");
    const parked = await city.submit("archive.savabegh", { case_id: "پ-۱۴۰۵-۰۴۲" });
    for (let n = 0; n < 3; n++) await city.submit("archive.savabegh");
    await until("the parked", async () => (await city.get("chief", `/v1/inquiries/${parked.number}`)).state === "parked");
    await city.agentStop("archive");
    city.agentStart("archive");
    await traffic(city);
    const example = await city.submit("nosazi.bedehi", { case_id: "پ-۱۴۰۵-۰۴۳" });
    await until("the example to be taken", async () => (await city.get("chief", `/v1/inquiries/${example.number}`)).acknowledged_at);
    return { parked: parked.number, answered: example.number };
}

function optimise(file) {
    try {
        execFileSync("pngquant", ["--force", "--skip-if-larger", "--ext", ".png", "--speed", "1", "--strip", "128", file]);
    } catch {
        // No pngquant: larger, and as good.
    }
}

export async function screenshots({ city, browser }, folder) {
    mkdirSync(folder, { recursive: true });
    // One tab stays open meanwhile and keeps the samples that the charts are drawn from.
    const watcher = await browser.page({ token: city.token("duty") });
    await watcher.locator("[data-link=live]").waitFor();
    const scene = await work(city);
    await watcher.evaluate(() => dispatchEvent(new Event("pagehide")));
    const samples = await watcher.evaluate(() => localStorage.getItem("estelam.samples"));
    await watcher.close();
    for (const { name, nobody, token = "duty", ...look } of shots(scene)) {
        const page = await browser.page({ ...look, token: nobody ? undefined : city.token(token), samples });
        if (!nobody) {
            await page.locator("[data-link=live]").waitFor();
            for (let n = 0; n < 3 && look.hash === "#/"; n++) await city.submit(city.samples[n].type);
        }
        await until("everything is read", async () => (await page.locator(".loading").count()) === 0);
        await page.evaluate(() => document.fonts.ready);
        await new Promise((done) => setTimeout(done, 1_500));
        const file = join(folder, `${name}.png`);
        await page.screenshot({ path: file, animations: "disabled" });
        optimise(file);
        console.log(`made    ${file}`);
        await page.context().close();
    }
}
