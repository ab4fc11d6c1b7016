// search.mjs - one box for everything, and its fields.
import { readFileSync } from "node:fs";
import { expect, same, until } from "../lib/report.mjs";

const open = (browser, city, q, more) =>
    browser.page({ token: city.token("duty"), language: "en", hash: `#/search${q ? "?" + new URLSearchParams({ q }) : ""}`, ...more });

async function found(page, number) {
    await page.locator(`tbody a[href="#/inquiry/${number}"]`).waitFor();
}

export async function a_parcel_is_found_in_digits_of_any_script({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    for (const parcel of ["1-1-1-1-0-0-0", "۱-۱-۱-۱-۰-۰-۰", "١-١-١-١-٠-٠-٠"]) {
        const page = await open(browser, city, `parcel:${parcel}`);
        await found(page, number);
        await browser.closePages();
    }
}

export async function a_tracking_code_needs_no_field_name({ browser, city }) {
    const receipt = await city.submit("nosazi.bedehi");
    const page = await open(browser, city, "");
    await page.fill("input[data-search]", receipt.tracking);
    await page.keyboard.press("Enter");
    await found(page, receipt.number);
    same(await page.locator("tbody tr").count(), 1, "rows");
}

export async function a_case_is_found_with_arabic_or_persian_letters({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi", { case_id: "پرونده-یک" });
    const page = await open(browser, city, "case:پرونده-يك");
    await found(page, number);
}

export async function fields_write_the_filter_and_are_read_back_from_it({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const page = await open(browser, city, "");
    await page.getByLabel("State").selectOption("answered");
    await page.getByLabel("Department", { exact: true }).selectOption("nosazi");
    await until("the text", async () => (await page.inputValue("input[data-search]")) === "state:answered department:nosazi");
    await found(page, number);
    await page.fill("input[data-search]", "department:metro");
    await page.keyboard.press("Enter");
    await until("the fields follow", async () => (await page.getByLabel("Department", { exact: true }).inputValue()) === "metro" && (await page.getByLabel("State").inputValue()) === "");
}

export async function a_jalali_day_in_persian_digits_is_understood({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    const today = new Intl.DateTimeFormat("fa-IR-u-ca-persian", { timeZone: "Asia/Tehran", year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date());
    const page = await open(browser, city, "");
    await page.getByLabel("From").fill(today);
    await page.keyboard.press("Enter");
    await found(page, number);
}

export async function a_day_is_understood_as_people_write_it({ browser, city }) {
    const page = await open(browser, city, "");
    const text = page.locator("input[data-search]");
    for (const [typed, day] of [["2026-11-26", "2026-11-26"], ["2026/1/5", "2026-01-05"], ["1405/9/4", "1405/09/04"], ["۱۴۰۵-۰۹-۰۴", "1405/09/04"]]) {
        await page.getByLabel("From").fill(typed);
        await page.keyboard.press("Enter");
        await until(`${typed} is in the filter`, async () => (await text.inputValue()) === `received:${day}..`);
        await page.locator(".panel h2").waitFor();
        same(await page.locator(".fault").count(), 0, `refusals of ${typed}`);
        await page.getByRole("button", { name: "Clear" }).click();
    }
}

export async function a_filter_that_cannot_be_read_is_explained({ browser, city }) {
    const page = await open(browser, city, "state:parked colour:red", { language: "fa" });
    const fault = page.getByRole("alert").filter({ hasText: "پالایه خوانده نشد" });
    await fault.getByText("نویسه ۱۴").waitFor();
    await fault.locator("[dir=ltr]", { hasText: "there is no field" }).waitFor();
    same(await fault.getByRole("button").count(), 0, "buttons that could not help");
}

export async function nothing_found_helps({ browser, city }) {
    const page = await open(browser, city, "department:nosazi number:999999999");
    await page.getByText("Nothing found").waitFor();
}

export async function what_was_found_leaves_as_csv({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    const page = await open(browser, city, "department:nosazi");
    await found(page, number);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
    expect(/^estelam-.*\.csv$/.test(download.suggestedFilename()), `its name is ${download.suggestedFilename()}`);
    const text = readFileSync(await download.path(), "utf8");
    expect(text.startsWith("\ufeff"), "the mark by which spreadsheets know UTF-8");
    const csv = text.trim().split(/\r?\n/);
    expect(csv[0].includes("number"), `a head: ${csv[0]}`);
    expect(csv.some((line) => line.split(",").includes(String(number)) || line.includes(String(number))), "the inquiry is in it");
}

export async function a_csv_that_is_not_whole_is_told({ browser, city }) {
    await city.submit("nosazi.bedehi");
    await city.submit("nosazi.bedehi");
    const page = await open(browser, city, "department:nosazi");
    await page.locator("tbody tr").first().waitFor();
    await page.route("**/v1/inquiries.csv?*", (route) => route.continue({ url: route.request().url() + "&limit=1" }));
    await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
    await page.locator(".toast-failed", { hasText: "only the newest 1" }).waitFor();
}

const PAGE = 50;
const MANY = "mali.pardakht";
let thereAre = 0;

/* So many inquiries of one type, whoever asks for them first. */
async function many(city, count) {
    for (; thereAre < count; thereAre += 10) await Promise.all(Array.from({ length: 10 }, () => city.submit(MANY)));
}

const numbers = (page) => page.locator("[data-column=number] a").evaluateAll((all) => all.map((a) => Number(a.hash.split("/").pop())));
const rows = (page, count) => until(`${count} rows`, async () => (await page.locator("tbody tr").count()) === count);

/* Answers to "More" wait until they are let go. */
async function heldBack(page) {
    let go;
    const gone = new Promise((done) => (go = done));
    await page.route(/[?&]after=/, (route) => gone.then(() => route.continue()));
    return go;
}

export async function many_come_page_by_page({ browser, city }) {
    await many(city, 2 * PAGE + 20);
    const page = await open(browser, city, `type:${MANY}`);
    await rows(page, PAGE);
    const go = await heldBack(page);
    await page.getByRole("button", { name: "More" }).dblclick();
    go();
    await until("a second page", async () => (await page.locator("tbody tr").count()) > PAGE);
    same((await numbers(page)).length, 2 * PAGE, "rows after a double click");
    await page.getByRole("button", { name: "More" }).click();
    await until("the rest", async () => (await page.locator("tbody tr").count()) > 2 * PAGE);
    const shown = await numbers(page);
    same(new Set(shown).size, shown.length, "distinct rows");
}

export async function rows_on_show_stay_while_new_ones_arrive({ browser, city }) {
    await many(city, 2 * PAGE + 20);
    const page = await open(browser, city, `type:${MANY}`);
    await rows(page, PAGE);
    await page.getByRole("button", { name: "More" }).click();
    await rows(page, 2 * PAGE);
    const before = await numbers(page);
    const title = page.locator(".panel h2");
    const count = await title.textContent();
    await many(city, thereAre + 10);
    await until("the count has grown", async () => (await title.textContent()) !== count);
    await page.getByRole("button", { name: "Show newer ones" }).waitFor();
    same((await numbers(page)).join(), before.join(), "rows on show");
    await page.getByRole("button", { name: "Show newer ones" }).click();
    await until("the newest", async () => (await numbers(page))[0] > before[0]);
    same((await numbers(page)).length, PAGE, "rows, from the beginning again");
}

export async function back_leads_to_the_place_one_came_from({ browser, city }) {
    await many(city, 2 * PAGE + 20);
    const page = await open(browser, city, `type:${MANY}`);
    await rows(page, PAGE);
    await page.getByRole("button", { name: "More" }).click();
    await rows(page, 2 * PAGE);
    await page.locator("tbody tr").nth(80).locator(".row-link").scrollIntoViewIfNeeded();
    const at = await page.evaluate(() => scrollY);
    expect(at > 1_000, `scrolled to ${at}`);
    await page.locator("tbody tr").nth(80).locator(".row-link").click();
    await page.locator("[data-step]").first().waitFor();
    same(await page.evaluate(() => scrollY), 0, "the place on a new page");
    await page.goBack();
    await rows(page, 2 * PAGE);
    await until("the place of before", async () => Math.abs((await page.evaluate(() => scrollY)) - at) < 40);
    await page.fill("input[data-search]", "state:waiting");
    await page.keyboard.press("Enter");
    await until("the second search", async () => (await page.locator("tbody tr").count()) !== 2 * PAGE);
    await page.goBack();
    await until("the first search again", async () => (await page.inputValue("input[data-search]")) === `type:${MANY}`);
    await rows(page, 2 * PAGE);
}
