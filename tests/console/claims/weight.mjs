// weight.mjs - small and quick.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "../lib/report.mjs";

const MOST = 300_000; // bytes of all files together, as they lie on disk
const FIRST_VIEW_MS = 1_000;
const QUICK_VISITS = 3;
const VISITS = 30;

export async function all_files_together_stay_under_300_kb({ console: folder }) {
    const total = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    console.log(`        ${total} bytes`);
    expect(total < MOST, `${total} bytes`);
}

export async function the_first_view_comes_within_a_second({ browser, city }) {
    // The tests share the machine with others: what the page needs is told by the visits that they leave alone.
    const times = [];
    const quick = () => times.filter((time) => time < FIRST_VIEW_MS).length;
    while (quick() < QUICK_VISITS && times.length < VISITS) {
        const page = await browser.page({ token: city.token("duty") });
        times.push(await page.evaluate(async () => {
            while (!document.querySelector("[data-tile=waiting]")) await new Promise(requestAnimationFrame);
            return performance.now();
        }));
        await browser.closePages();
    }
    console.log(`        ${times.map(Math.round).join(", ")} ms`);
    expect(quick() >= QUICK_VISITS, `${quick()} of ${times.length} visits`);
}

export async function files_are_kept_by_the_browser_and_the_policy_is_strict({ city, console: folder }) {
    const script = readdirSync(folder).find((name) => name.endsWith(".js"));
    const response = await fetch(`${city.url}/${script}`);
    expect(response.headers.get("cache-control")?.includes("immutable"), "a hashed name may be kept for ever");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy.includes("default-src 'none'") && !policy.includes("unsafe"), policy);
}
