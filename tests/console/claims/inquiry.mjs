// inquiry.mjs - the timeline, its other views, and what one may do with an inquiry.
import { expect, same, until } from "../lib/report.mjs";

const open = (browser, city, number, more) => browser.page({ token: city.token("duty"), language: "en", hash: `#/inquiry/${number}`, ...more });

async function act(page, button, confirm, reason) {
    await page.getByRole("button", { name: button, exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill(reason);
    await dialog.getByRole("button", { name: confirm, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
}

export async function the_timeline_goes_from_accepted_to_delivered({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    await until("the result to be acknowledged", async () => (await city.get("chief", `/v1/inquiries/${number}`)).acknowledged_at);
    const page = await open(browser, city, number);
    await page.locator("[data-step=acknowledged]").waitFor();
    const steps = await page.locator("[data-step]").evaluateAll((all) => all.map((e) => e.dataset.step));
    same(steps.join(), "submitted,queued,leased,answered,acknowledged", "steps");
    const leased = await page.locator("[data-step=leased]").textContent();
    expect(leased.includes("nosazi-agent") && leased.includes("With an agent"), `the lease tells its actor and the time after it: ${leased}`);
    for (const word of ["In the queue", "With an agent"]) await page.locator(".where-legend", { hasText: word }).waitFor();
}

export async function times_are_tehrans_with_utc_on_hover({ browser, city }) {
    const { number, received_at } = await city.submit("nosazi.bedehi");
    const page = await open(browser, city, number, { language: "fa" });
    const time = page.locator("[data-step=submitted] time");
    const title = await time.getAttribute("title");
    same(title.slice(0, 19), received_at.slice(0, 19).replace("T", " "), "UTC on hover");
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tehran", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(received_at));
    const shown = (await time.textContent()).replace(/[۰-۹]/g, (d) => String("۰۱۲۳۴۵۶۷۸۹".indexOf(d)));
    same(shown.slice(0, 8), clock, "Tehran's clock, in Persian digits");
    const day = await page.locator("[data-step=submitted] .step-day").textContent();
    expect(/[۰-۹]{1,2} \S+ ۱۴[۰-۹]{2}/.test(day), `a Jalali date: ${day}`);
}

export async function compact_and_json_show_the_same_facts({ browser, city }) {
    const { number, id } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const page = await open(browser, city, number);
    await page.getByRole("link", { name: "Compact" }).click();
    await page.getByRole("cell", { name: "Answered" }).waitFor();
    await page.getByRole("link", { name: "JSON" }).click();
    const json = JSON.parse(await page.locator("pre.json").textContent());
    same(json.number, number, "number");
    same(json.id, id, "id");
    expect(json.timeline.some((row) => row.event === "answered"), "the timeline is in it");
}

export async function the_compact_view_says_what_the_timeline_says({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const page = await open(browser, city, number, { language: "fa" });
    const purpose = "پروانه ساختمان و کار ساختمانی";
    await page.locator("[data-step=submitted] .step-text", { hasText: purpose }).waitFor();
    await page.getByRole("link", { name: "فشرده" }).click();
    await page.getByRole("cell", { name: purpose }).waitFor();
}

export async function a_case_leads_to_its_search_whatever_it_is_called({ browser, city }) {
    for (const case_id of ['پ "17" \\ 3', "a\\b,c", "الف،ب"]) {
        const { number } = await city.submit("nosazi.bedehi", { case_id });
        const page = await open(browser, city, number);
        await page.locator(".details a", { hasText: case_id }).click();
        await page.locator(`tbody a[href="#/inquiry/${number}"]`).waitFor();
        await browser.closePages();
    }
}

export async function a_refusals_reason_is_read_as_the_catalogue_writes_it({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const { reason } = await city.get("duty", `/v1/inquiries/${number}`);
    const { reasons } = await city.get("duty", "/v1/catalogue/types/nosazi.bedehi");
    const { title_fa } = reasons.find((one) => one.code === reason);
    const page = await open(browser, city, number, { language: "fa" });
    await page.locator(`.details [title="${reason}"]`, { hasText: title_fa }).waitFor();
}

/* Marks by which a text from outside could turn round what is read after them. */
export async function marks_of_direction_from_outside_are_shown({ browser, city }) {
    const { number } = await city.submit("metro.harim", { case_id: "17\u202e4041" });
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "not\u2066 ours" });
    const page = await open(browser, city, number);
    await page.locator(".details", { hasText: "17U+202E4041" }).waitFor();
    await page.locator("[data-step=cancelled]", { hasText: "notU+2066 ours" }).waitFor();
    const plain = async () => expect(!/[\u202a-\u202e\u2066-\u2069]/.test(await page.locator("main").textContent()), "no mark stands as it is");
    await plain();
    await page.getByRole("link", { name: "Compact" }).click();
    await page.getByRole("cell", { name: "notU+2066 ours" }).waitFor();
    await plain();
    await page.getByRole("link", { name: "JSON" }).click();
    const json = await page.locator("pre.json").textContent();
    expect(json.includes("17\\u202e4041"), "JSON has it escaped");
    same(JSON.parse(json).case_id, "17\u202e4041", "and means the same");
    await plain();
}

export async function an_inquiry_is_found_by_its_uuid({ browser, city }) {
    const { number, id } = await city.submit("nosazi.bedehi");
    const page = await open(browser, city, id);
    await page.locator(".inquiry-number", { hasText: String(number) }).waitFor();
}

export async function cancelling_takes_a_reason_and_ends_it({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await open(browser, city, number);
    await act(page, "Cancel", "Cancel the inquiry", "asked twice by mistake");
    await page.locator("[data-step=cancelled]", { hasText: "asked twice by mistake" }).waitFor();
    same(await page.getByRole("button", { name: "Cancel", exact: true }).count(), 0, "an ended inquiry has no actions");
    same((await city.get("chief", `/v1/inquiries/${number}`)).state, "cancelled", "the broker's word");
}

export async function redirecting_moves_it_to_another_district({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await open(browser, city, number);
    await page.getByRole("button", { name: "Redirect", exact: true }).click();
    await page.getByRole("dialog").getByLabel("To district").selectOption("7");
    await page.getByRole("dialog").getByLabel("Reason").fill("the parcel lies in district 7");
    await page.getByRole("dialog").getByRole("button", { name: "Redirect" }).click();
    await page.locator("[data-step=redirected]").waitFor();
    same((await city.get("chief", `/v1/inquiries/${number}`)).district, 7, "the broker's word");
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}

export async function a_refusal_of_the_broker_is_shown_in_the_dialog({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await open(browser, city, number);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "somebody was faster" });
    await page.locator("[data-step=cancelled]", { hasText: "somebody was faster" }).waitFor();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("too late");
    await dialog.getByRole("button", { name: "Cancel the inquiry" }).click();
    await dialog.getByRole("alert").getByText("ALREADY_FINAL").waitFor();
}

export async function an_unknown_number_offers_the_search({ browser, city }) {
    const page = await open(browser, city, 999999999);
    await page.getByRole("link", { name: "Go to search" }).click();
    await page.locator("input[data-search]").waitFor();
}

export async function a_redirection_asks_for_its_district({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await open(browser, city, number);
    await page.getByRole("button", { name: "Redirect", exact: true }).click();
    const dialog = page.getByRole("dialog");
    same(await dialog.getByLabel("To district").inputValue(), "", "nobody has chosen yet");
    await dialog.getByLabel("Reason").fill("the parcel is there");
    expect(await dialog.getByRole("button", { name: "Redirect" }).isDisabled(), "it waits for the choice");
    await dialog.getByLabel("To district").selectOption("3");
    expect(await dialog.getByRole("button", { name: "Redirect" }).isEnabled(), "it is chosen");

    const { token, id } = city.tokenMake("duty", "read,events,operate");
    const narrow = await open(browser, city, number, { token });
    await narrow.getByRole("button", { name: "Redirect", exact: true }).click();
    await narrow.getByRole("dialog").getByText("The districts are not known here").waitFor();
    expect(await narrow.getByRole("dialog").getByRole("button", { name: "Redirect" }).isDisabled(), "nowhere to go");
    city.tokenRevoke(id);
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}
