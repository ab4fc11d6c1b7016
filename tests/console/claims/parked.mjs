// parked.mjs - what was set aside, and the way back.
import { expect, same, until } from "../lib/report.mjs";

const REASON = "the file is being scanned";

/* The archive's agent refuses `count` inquiries; afterwards its real one is at work again. */
async function park(city, count) {
    await city.agentStop("archive");
    city.refusingAgent("archive", "archive.savabegh", REASON);
    const receipts = [];
    for (let n = 0; n < count; n++) receipts.push(await city.submit("archive.savabegh"));
    for (const { number } of receipts) await until(`${number} to be parked`, async () => (await city.get("chief", `/v1/inquiries/${number}`)).state === "parked");
    await city.agentStop("archive");
    city.agentStart("archive");
    return receipts.map((receipt) => receipt.number);
}

const open = (browser, city) => browser.page({ token: city.token("duty"), language: "en", hash: "#/parked" });

export async function an_empty_page_says_what_would_be_here({ browser, city }) {
    const page = await open(browser, city);
    await page.getByText("Nothing is parked").waitFor();
}

export async function the_parked_stand_by_their_reason({ browser, city }) {
    const numbers = await park(city, 2);
    const page = await open(browser, city);
    await page.locator("[data-code=AGENT_REFUSED]").waitFor();
    await page.locator("tbody", { hasText: REASON }).waitFor();
    for (const number of numbers) await page.locator(`tbody a[href="#/inquiry/${number}"]`).waitFor();
}

export async function one_goes_back_to_its_queue_with_a_reason({ browser, city }) {
    const [number] = await park(city, 1);
    const page = await browser.page({ token: city.token("duty"), language: "en", hash: `#/inquiry/${number}` });
    await page.locator("[data-step=parked]").waitFor();
    await page.getByRole("button", { name: "Requeue" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("the file is scanned now");
    await dialog.getByRole("button", { name: "Requeue" }).click();
    await page.locator("[data-step=requeued]").waitFor();
    same((await city.ended(number)).state, "answered", "the archive answers it then");
}

export async function a_group_is_counted_before_it_goes_back({ browser, city }) {
    const numbers = await park(city, 3);
    const page = await open(browser, city);
    const group = page.locator("[data-code=AGENT_REFUSED]");
    await group.waitFor();
    const shown = Number(await group.locator("b").textContent());
    expect(shown >= numbers.length, `the group says ${shown}`);
    await group.getByRole("button", { name: "Requeue this group" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`${shown} inquiries go back`).waitFor();
    await dialog.getByLabel("Reason").fill("all files are scanned");
    await dialog.getByRole("button", { name: `Requeue ${shown} inquiries` }).click();
    await dialog.waitFor({ state: "detached" });
    for (const number of numbers) same((await city.ended(number)).state, "answered", `inquiry ${number}`);
    await page.getByText("Nothing is parked").waitFor();
}

export async function an_agents_reason_shows_its_marks_of_direction({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    const row = { number: 7, type: "gas.harim", department: "gas", district: 0, at: new Date().toISOString(), code: "AGENT_REFUSED", attempts: 1, reason: "no\u202esuch" };
    await page.route(/\/v1\/parked(\?|$)/, (route) => route.fulfill({ json: { rows: [row], next: null } }));
    await page.evaluate(() => (location.hash = "#/parked"));
    const reason = page.locator("[data-column=reason]");
    await reason.getByText("noU+202Esuch").waitFor();
    expect(!(await reason.innerHTML()).includes("\u202e"), "nor on hover");
}

/* The page over a gateway whose list of the parked is this one. */
const overList = (browser, city, answer, more) =>
    browser.page({ token: city.token("duty"), language: "en", hash: "#/parked", before: (page) => page.route(/\/v1\/parked(\?|$)/, (route) => route.fulfill({ json: answer(route) })), ...more });

const row = (number) => ({ number, type: "metro.harim", department: "metro", district: 0, at: new Date().toISOString(), code: "AGENT_REFUSED", attempts: 1, reason: REASON });

/* Asks for the group's requeue; the gateway counts `count` and gives one answer of `answers` a round. */
async function requeueGroup(page, count, answers) {
    await page.route("**/v1/parked/requeue", (route) => {
        const { count_only } = route.request().postDataJSON();
        const next = count_only ? { count, counted_all: true, behind: 0 } : answers.shift();
        return route.fulfill(next ? { json: next } : { status: 503, json: { code: "BUSY" } });
    });
    await page.getByRole("button", { name: "Requeue this group" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("all files are scanned");
    await dialog.getByRole("button", { name: /^Requeue [\d,]+ inquiries/ }).click();
    return dialog;
}

export async function a_group_that_does_not_go_back_is_told_as_a_failure({ browser, city }) {
    const page = await overList(browser, city, () => ({ rows: [row(1)], next: null }));
    await requeueGroup(page, 12, [{ count: 12, requeued: 0, failed: 12, more: false }]);
    await page.locator(".toast-failed", { hasText: "0 of 12" }).waitFor();
}

export async function a_failure_half_way_tells_what_went_back_before({ browser, city }) {
    const page = await overList(browser, city, () => ({ rows: [row(1)], next: null }));
    const dialog = await requeueGroup(page, 1_200, [{ count: 1_000, requeued: 1_000, failed: 0, more: true }]);
    await page.locator(".toast-failed", { hasText: "1,000 of 1,200" }).waitFor();
    await dialog.getByText("The broker is full").waitFor();
}

export async function a_list_that_is_cut_does_not_call_itself_whole({ browser, city }) {
    let number = 0;
    const page = await overList(browser, city, () => ({ rows: [row(++number)], next: "on" }));
    await page.getByText("at least 20 inquiries").waitFor();
    await page.getByText("The groups count the first 20 only").waitFor();
}

export async function a_reason_being_typed_outlives_the_list({ browser, city }) {
    let rows = [row(1)];
    const page = await overList(browser, city, () => ({ rows, next: null }));
    await page.locator("[data-link=live]").waitFor();
    await page.getByRole("button", { name: "Requeue inquiry 1" }).click();
    const field = page.getByRole("dialog").getByLabel("Reason");
    await field.fill("the file is scanned now");
    rows = [];
    const { number } = await city.submit("metro.harim");
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "an event of the parked" });
    await page.getByText("Nothing is parked").waitFor();
    same(await field.inputValue(), "the file is scanned now", "what was typed");
}
