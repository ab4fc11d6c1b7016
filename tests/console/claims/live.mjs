// live.mjs - the page follows the city, and finds it again.
import { expect, same, until } from "../lib/report.mjs";

export async function a_new_inquiry_appears_without_a_reload({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-link=live]").waitFor();
    const receipt = await city.submit("nosazi.bedehi");
    await page.locator(`.feed a[href="#/inquiry/${receipt.number}"]`).first().waitFor();
}

/* The counts are asked for every three seconds in any case. Of the page's clock, which stands between two steps of
 * the test, they are not over by then. */
export async function the_tile_counts_a_new_inquiry_at_once({ browser, city }) {
    let asked = 0, answered = 0;
    const queues = (request) => request.url().includes("/v1/queues");
    const page = await browser.page({ token: city.token("duty"), language: "en", before: async (one) => {
        await one.clock.install();
        one.on("request", (request) => (asked += queues(request)));
        one.on("requestfinished", (request) => (answered += queues(request)));
    } });
    const value = page.locator("[data-tile=waiting] .tile-value");
    await value.waitFor();
    await page.locator("[data-link=live]").waitFor();
    await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1_000);
    const times = asked;
    await until("the counts to be asked for", async () => (await page.clock.fastForward(100), asked > times && asked === answered));
    const before = Number(await value.textContent());
    const { number } = await city.submit("metro.harim");
    let passed = 0;
    await until("one more waiting", async () => {
        if (Number(await value.textContent()) === before + 1) return true;
        if (passed < 2_500) await page.clock.fastForward(50);
        passed += 50;
    });
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}

export async function an_open_inquiry_follows_its_own_events({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await browser.page({ token: city.token("duty"), hash: `#/inquiry/${number}` });
    await page.locator("[data-step=queued]").waitFor();
    await page.locator("[data-link=live]").waitFor();
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "followed" });
    await page.locator("[data-step=cancelled]").waitFor();
}

export async function the_page_finds_the_gateway_again_after_its_restart({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-link=live]").waitFor();
    await city.stop("gateway");
    await page.locator("[data-link=lost]").waitFor();
    await page.locator(".lost .banner").waitFor();
    expect(await page.locator("[data-tile=waiting]").isVisible(), "what was shown before stays");
    await city.gatewayStart();
    await page.locator("[data-link=live]").waitFor({ timeout: 20_000 });
    const receipt = await city.submit("nosazi.bedehi");
    await page.locator(`.feed a[href="#/inquiry/${receipt.number}"]`).first().waitFor();
}

export async function a_broker_that_is_away_is_told_and_found_again({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-link=live]").waitFor();
    await city.stop("broker", "SIGKILL");
    await page.locator("[data-link=lost]").waitFor();
    await page.getByText("has not reached the broker").waitFor();
    await city.brokerStart();
    await page.locator("[data-link=live]").waitFor({ timeout: 30_000 });
    const receipt = await until("an inquiry is taken", () => city.submit("nosazi.bedehi"), 20);
    await page.locator(`.feed a[href="#/inquiry/${receipt.number}"]`).first().waitFor();
}

/* A stream that ends among events of one seq, and the next one, which tells all of them again. */
export async function events_that_a_cut_stream_tells_twice_are_shown_once({ browser, city }) {
    const numbers = [900_001, 900_002, 900_003];
    const told = (number, id) =>
        `${id}event: inquiry\ndata: ${JSON.stringify({ seq: 70_007, number, event: "acknowledged", at: "2026-01-01T00:00:00Z" })}\n\n`;
    const cut = `: live\nid: 70006\n\n${told(numbers[0], "")}${told(numbers[1], "")}`;
    const whole = `${told(numbers[0], "")}${told(numbers[1], "")}${told(numbers[2], "id: 70007\n")}`;
    const places = [];
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-link=live]").waitFor();
    await page.route("**/v1/events", (route) => {
        places.push(route.request().headers()["last-event-id"]);
        const body = [cut, whole][places.length - 1];
        return body ? route.fulfill({ contentType: "text/event-stream", body }) : undefined; /* the third stays open */
    });
    await page.reload();
    await until("come back twice", () => places.length === 3);
    expect(places[1] === "70006" && places[2] === "70007", `it came back with ${places}`);
    await page.locator(`.feed a[href="#/inquiry/${numbers[2]}"]`).waitFor();
    for (const number of numbers)
        expect((await page.locator(`.feed a[href="#/inquiry/${number}"]`).count()) === 1, `${number} is not shown once`);
}

export async function events_missed_while_the_gateway_was_away_are_caught_up({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-link=live]").waitFor();
    const seen = await city.submit("nosazi.bedehi");
    await page.locator(`.feed a[href="#/inquiry/${seen.number}"]`).first().waitFor();
    const { number } = await city.submit("metro.harim");
    await page.locator(`.feed a[href="#/inquiry/${number}"]`).first().waitFor();
    await page.context().setOffline(true);
    await city.stop("gateway");
    await page.locator("[data-link=lost]").waitFor();
    await city.gatewayStart();
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "while away" });
    await page.context().setOffline(false);
    await page.locator(".feed li", { hasText: "Cancelled" }).first().waitFor({ timeout: 20_000 });
}

export async function a_revoked_token_ends_the_session_in_words({ browser, city }) {
    const { token, id } = city.tokenMake("duty", "watch,read");
    const page = await browser.page({ token, language: "en" });
    await page.locator("[data-tile=waiting]").waitFor();
    city.tokenRevoke(id);
    await page.getByText("Your session is over").waitFor();
}

export async function a_broker_that_is_away_is_told_in_the_readers_language({ browser, city }) {
    const page = await browser.page({ token: city.token("duty") });
    await page.locator("[data-link=live]").waitFor();
    const away = { type: "/v1/problems/UNREACHABLE", title: "no broker could be reached", title_fa: "کارگزار در دسترس نیست", status: 503,
        code: "UNREACHABLE", layer: "local", advice: "check endpoints, keys and the network", detail: "no broker could be reached" };
    await page.route("**/v1/inquiries?*", (route) => route.fulfill({ status: 503, json: away }));
    await page.evaluate(() => (location.hash = "#/search?q=state:waiting"));
    const fault = page.locator(".fault");
    await fault.getByText("به کارگزار دسترسی نیست").waitFor();
    same(await fault.locator(".fault-detail").count(), 0, "what says the same in English");
    await page.route("**/v1/parked", (route) => route.fulfill({ status: 502, body: "<html>Bad Gateway</html>" }));
    await page.evaluate(() => (location.hash = "#/parked"));
    await fault.getByText("پاسخ ناشناخته‌ای با وضع ۵۰۲").waitFor();
}
