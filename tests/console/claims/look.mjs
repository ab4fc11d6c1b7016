// look.mjs - every page in both languages, both themes, wide and narrow: nothing beside the screen, nothing that
// WCAG 2 A or AA forbids, nothing untranslated, nothing the browser complains about.
import { violations } from "../lib/browser.mjs";
import { expect, same, until } from "../lib/report.mjs";

async function scene(city) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const waiting = await city.submit("metro.harim");
    const pages = { overview: "#/", department: "#/department/nosazi", unserved: "#/department/metro", search: "#/search?q=department:nosazi", begin: "#/search",
        inquiry: `#/inquiry/${number}`, compact: `#/inquiry/${number}?view=compact`, json: `#/inquiry/${number}?view=json`, waiting: `#/inquiry/${waiting.number}`,
        parked: "#/parked", system: "#/system", nowhere: "#/nowhere" };
    const tidy = () => city.ask("duty", "POST", `/v1/inquiries/${waiting.number}/cancel`, { reason: "tidying up" });
    return { pages, tidy };
}

async function settled(page) {
    await page.locator("main").waitFor();
    await until("everything is read", async () => (await page.locator(".loading").count()) === 0);
    await page.evaluate(() => document.fonts.ready);
}

/* One visitor who goes through all pages, as a person would. */
async function each(browser, city, look, check) {
    const { pages, tidy } = await scene(city);
    const page = await browser.page({ token: city.token("chief"), ...look });
    for (const [name, hash] of Object.entries(pages)) {
        await page.evaluate((to) => (location.hash = to), hash);
        await settled(page);
        await check(page, name);
    }
    await tidy();
}

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const fits = (look) => ({ browser, city }) => each(browser, city, look, async (page, where) => same(await overflow(page), 0, `pixels beside the screen at ${where}`));
const passesAxe = (look) => ({ browser, city }) => each(browser, city, look, async (page, where) => same((await violations(page)).join("\n"), "", where));

export const persian_pages_fit_360_pixels = fits({ width: 360 });
export const persian_pages_fit_1280_pixels = fits({ width: 1280 });
export const english_pages_fit_360_pixels = fits({ width: 360, language: "en" });
export const english_pages_fit_1280_pixels = fits({ width: 1280, language: "en" });
export const axe_finds_nothing_in_persian = passesAxe({});
export const axe_finds_nothing_in_english_at_360_pixels = passesAxe({ language: "en", width: 360 });
export const axe_finds_nothing_in_the_dark = passesAxe({ theme: "dark" });

export async function axe_finds_nothing_at_the_login_and_in_a_dialog({ browser, city }) {
    for (const theme of ["light", "dark"]) {
        const login = await browser.page({ theme });
        await login.locator("input[type=password]").waitFor();
        same((await violations(login)).join("\n"), "", `login ${theme}`);
        const page = await browser.page({ token: city.token("duty"), hash: "#/department/nosazi", theme, language: "en" });
        await page.getByRole("button", { name: "Pause" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
        same((await violations(page)).join("\n"), "", `dialog ${theme}`);
        await browser.closePages();
    }
}

export async function persian_pages_run_right_to_left_in_persian_digits({ browser, city }) {
    const page = await browser.page({ token: city.token("duty") });
    await page.locator("[data-tile=waiting]").waitFor();
    same(await page.evaluate(() => document.documentElement.dir), "rtl", "direction");
    const figures = await page.locator("tbody .number").allTextContents();
    expect(figures.length > 0 && figures.every((text) => !/[0-9]/.test(text)), `figures: ${figures.slice(0, 8)}`);
    const nav = await page.locator(".nav").boundingBox();
    expect(nav.x > 600, "the sections stand at the right");
}

export async function the_browser_had_nothing_to_complain_about({ browser }) {
    same(browser.wrongs.join("\n"), "", "errors, breaches of the policy, other hosts");
}
