// trouble.mjs - a gateway that is slow, hangs, refuses or is not one, and a browser with many tabs.
import { expect, same, until } from "../lib/report.mjs";

const SLOW_MS = 1_500;

const slowly = (page, what) => page.route(what, async (route) => {
    await new Promise((done) => setTimeout(done, SLOW_MS));
    await route.continue().catch(() => {}); // the page may have given up
});

const show = (page, shown) => page.evaluate((is) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => !is });
    document.dispatchEvent(new Event("visibilitychange"));
}, shown);

/* Something happens all the time until `over` holds. */
async function busyUntil(city, what, over) {
    await until(what, async () => {
        const { number } = await city.submit("metro.harim");
        await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "something happens" });
        return over();
    });
}

/* The page's clock runs ahead, a second at a time; how many seconds it took. */
async function secondsUntil(page, what, holds, most) {
    let seconds = 0;
    await until(what, async () => {
        if (await holds()) return true;
        if (seconds >= most) throw new Error(`${most} s of the page's clock have passed`);
        seconds++;
        await page.clock.fastForward(1_000);
    });
    return seconds;
}

export async function tabs_that_nobody_looks_at_leave_connections_to_the_others({ browser, city }) {
    const first = await browser.page({ token: city.token("duty"), language: "en", before: (page) => page.clock.install() });
    const tabs = [first];
    const tab = async () => {
        const page = await first.context().newPage();
        browser.watch(page);
        await page.goto(`${browser.url}/#/system`);
        await page.locator("[data-link=live]").waitFor();
        return page;
    };
    await first.locator("[data-link=live]").waitFor();
    while (tabs.length < 5) tabs.push(await tab());
    for (const page of tabs) await show(page, false);
    await first.clock.fastForward(15_000);
    for (const page of tabs) await page.locator("[data-link=connecting]").waitFor();
    for (let n = 0; n < 2; n++) await tab();
    const { number } = await city.submit("nosazi.bedehi");
    await show(first, true);
    await first.locator("[data-link=live]").waitFor();
    await first.locator(`.feed a[href="#/inquiry/${number}"]`).first().waitFor();
}

export async function a_gateway_that_hangs_is_not_called_live({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await browser.page({ token: city.token("duty"), language: "en", before: (one) => one.clock.install() });
    const light = (state) => page.locator(`[data-link=${state}]`).count();
    await page.locator("[data-link=live]").waitFor();
    const gateway = city.running.get("gateway").child;
    gateway.kill("SIGSTOP");
    try {
        const seconds = await secondsUntil(page, "the light to say so", () => light("lost"), 20);
        expect(seconds <= 15, `it took ${seconds} s`);
        await page.evaluate((n) => (location.hash = `#/inquiry/${n}`), number);
        await page.locator(".loading").waitFor();
        await secondsUntil(page, "the page to give up", () => page.locator("main").getByText("The gateway does not answer.").count(), 30);
    } finally {
        gateway.kill("SIGCONT");
    }
    await secondsUntil(page, "the page to come back by itself", () => page.locator("[data-step=queued]").count(), 60);
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}

export async function what_is_not_an_answer_is_no_gateway({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const portal = /\/v1\/(inquiries|queues|agents|stats|events)/;
    const page = await browser.page({ token: city.token("duty"), language: "en", hash: `#/inquiry/${number}`,
        before: (one) => one.route(portal, (route) => route.fulfill({ contentType: "text/html", body: "<h1>Log in to the network</h1>" })) });
    await page.locator("main").getByText("The gateway does not answer.").first().waitFor();
    await page.locator("[data-link=lost]").waitFor();
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}

export async function a_page_that_could_not_be_read_comes_back_with_the_gateway({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const away = /\/v1\/(inquiries|parked|queues|agents|stats|events)/;
    const pages = [];
    for (const hash of [`#/inquiry/${number}`, "#/parked"])
        pages.push(await browser.page({ token: city.token("duty"), language: "en", hash, before: (one) => one.route(away, (route) => route.abort()) }));
    for (const page of pages) await page.locator("main").getByText("The gateway does not answer.").first().waitFor();
    for (const page of pages) await page.unroute(away);
    await pages[0].locator("[data-step=queued]").waitFor();
    await pages[1].getByRole("heading", { name: "Parked" }).waitFor();
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}

export async function slow_answers_come_although_something_happens_all_the_time({ browser, city }) {
    const token = city.token("duty");
    const search = await browser.page({ token, hash: "#/search?q=state:cancelled", before: (page) => slowly(page, /v1.inquiries\?/) });
    const parked = await browser.page({ token, hash: "#/parked", before: (page) => slowly(page, "**/v1/parked") });
    const there = [search.locator("tbody tr").first(), parked.locator("main h1")];
    await busyUntil(city, "both pages", async () => (await Promise.all(there.map((one) => one.count()))).every(Boolean));
}

export async function counts_are_asked_one_after_the_other({ browser, city }) {
    let open = 0, most = 0, answers = 0;
    await browser.page({ token: city.token("duty"), before: async (page) => {
        const queues = (request) => request.url().includes("/v1/queues");
        page.on("request", (request) => queues(request) && (most = Math.max(most, ++open)));
        page.on("requestfinished", (request) => queues(request) && (open--, answers++));
        await slowly(page, "**/v1/queues");
    } });
    await busyUntil(city, "three answers", () => answers >= 3);
    same(most, 1, "questions under way at once");
}

export async function titles_that_were_refused_are_asked_for_again({ browser, city }) {
    const { rows } = await city.get("duty", "/v1/catalogue/departments");
    const title = rows.find((row) => row.name === "nosazi").title_en;
    let refused = 0;
    const page = await browser.page({ token: city.token("duty"), language: "en", hash: "#/department/nosazi", before: async (one) => {
        await one.clock.install();
        await one.route("**/v1/catalogue/**", (route) => (refused++, route.fulfill({ status: 503, json: { code: "UNREACHABLE" } })));
    } });
    await until("three refusals", () => refused >= 3);
    await page.getByRole("heading", { name: "nosazi" }).waitFor();
    await page.unroute("**/v1/catalogue/**");
    await page.clock.fastForward(15_000);
    await page.getByRole("heading", { name: title }).waitFor();
}
