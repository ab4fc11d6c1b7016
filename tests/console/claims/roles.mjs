// roles.mjs - what a level may not do is not there, and is refused.
import { expect, same, until } from "../lib/report.mjs";

const actions = ["Pause", "Resume", "Test inquiry", "Requeue", "Cancel", "Redirect", "Begin draining", "Rebuild the index", "Export CSV"];

async function buttons(page) {
    return page.locator("main button, main a").evaluateAll((all) => all.map((e) => e.textContent.trim()));
}

export async function an_observer_sees_counts_and_no_action({ browser, city }) {
    for (const hash of ["#/", "#/department/nosazi", "#/system"]) {
        const page = await browser.page({ token: city.token("watch"), language: "en", hash });
        await page.locator("h1").first().waitFor({ state: "attached" });
        await page.locator("[data-link=polling]").waitFor();
        await until("the page is there", async () => (await page.locator("main section").count()) > 0);
        const there = await buttons(page);
        const wrong = there.filter((text) => actions.some((action) => text.includes(action)));
        same(wrong.join(), "", `actions at ${hash}`);
        await browser.closePages();
    }
}

export async function an_observer_is_shown_no_personal_field({ browser, city }) {
    const receipt = await city.submit("metro.harim", { case_id: "secret-case" });
    const page = await browser.page({ token: city.token("watch"), language: "en" });
    await page.locator("[data-tile=waiting]").waitFor();
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    for (const hash of ["#/department/metro", "#/system", "#/search", "#/parked", `#/inquiry/${receipt.number}`, "#/"]) {
        await page.evaluate((to) => (location.hash = to), hash);
        await until("the page", async () => (await page.locator("main").textContent()).length > 20);
        const text = await page.content();
        for (const personal of ["secret-case", receipt.tracking, receipt.id]) expect(!text.includes(personal), `${hash} shows ${personal}`);
    }
    const foreign = asked.filter((path) => /inquiries|parked|events|keys|config$/.test(path));
    same([...new Set(foreign)].join(), "", "questions an observer may not ask");
    for (const path of [`/v1/inquiries/${receipt.number}`, "/v1/inquiries?q=", "/v1/parked", "/v1/keys", "/v1/config"])
        same((await city.ask("watch", "GET", path)).status, 403, path);
    await city.ask("duty", "POST", `/v1/inquiries/${receipt.number}/cancel`, { reason: "tidying up" });
}

export async function pages_beyond_a_level_say_so_kindly({ browser, city }) {
    const page = await browser.page({ token: city.token("watch"), language: "en", hash: "#/search" });
    await page.getByText("There is no such page").waitFor();
    same(await page.getByRole("link", { name: "Search" }).count(), 0, "no link to it");
}

export async function an_operator_acts_and_reads_no_body({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const page = await browser.page({ token: city.token("duty"), language: "en", hash: `#/inquiry/${number}` });
    await page.locator("[data-step=answered]").waitFor();
    same(await page.getByRole("heading", { name: "Reply" }).count(), 0, "the reply");
    await page.evaluate(() => (location.hash = "#/system"));
    await page.getByRole("heading", { name: "Configuration" }).waitFor();
    same(await page.getByRole("button", { name: "Begin draining" }).count(), 0, "drain");
    same(await page.getByRole("button", { name: "Rebuild the index" }).count(), 0, "rebuild");
    same((await city.ask("duty", "POST", "/v1/drain", { on: true, reason: "no" })).status, 403, "refused too");
}

export async function an_administrator_reads_bodies({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const page = await browser.page({ token: city.token("chief"), language: "en", hash: `#/inquiry/${number}` });
    await page.getByRole("heading", { name: "Reply" }).waitFor();
    await page.locator("pre.json", { hasText: "1-1-1-1-0-0-0" }).waitFor();
}

export async function a_token_without_events_still_sees_its_lists_renewed({ browser, city }) {
    const { token, id } = city.tokenMake("duty", "watch,read");
    const asked = { parked: 0, found: 0 };
    const page = await browser.page({ token, language: "en", hash: "#/parked", before: async (one) => {
        await one.clock.install();
        one.on("request", (r) => ((asked.parked += r.url().includes("/v1/parked")), (asked.found += r.url().includes("/v1/inquiries?"))));
    } });
    await page.locator("[data-link=polling]").waitFor();
    await page.getByText("Nothing is parked").or(page.locator("tbody")).first().waitFor();
    await page.clock.fastForward(20_000);
    await until("the parked are asked for again", () => asked.parked > 1);
    await page.evaluate(() => (location.hash = "#/search?q=state:answered"));
    await until("a search", () => asked.found > 0);
    await page.locator("[data-link=polling]").waitFor();
    await page.clock.fastForward(20_000);
    await until("the search is asked again", () => asked.found > 1);
    city.tokenRevoke(id);
}

export async function a_token_without_watch_begins_where_it_may({ browser, city }) {
    const { token, id } = city.tokenMake("duty", "read,operate");
    const page = await browser.page({ token, language: "en" });
    await page.getByRole("heading", { name: "Search" }).waitFor();
    await page.locator("[data-link=polling]").waitFor();
    same(await page.getByRole("link", { name: "Overview" }).count(), 0, "no link to what is not its own");
    await page.evaluate(() => (location.hash = "#/parked"));
    await page.getByText("Your token lacks the scope watch").waitFor();
    city.tokenRevoke(id);
}
