// login.mjs - in by a token, and out.
import { expect, same, until } from "../lib/report.mjs";

async function enter(page, token) {
    await page.fill("input[type=password]", token);
    await page.keyboard.press("Enter");
}

export async function an_unknown_token_is_refused_in_words({ browser }) {
    const page = await browser.page();
    await enter(page, "est_notatoken");
    const said = await page.locator("[role=alert]").textContent();
    expect(said.includes("پذیرفته نشد"), `it says: ${said}`);
    same(await page.locator("input[type=password]").getAttribute("aria-invalid"), "true", "the field is marked");
}

export async function an_empty_token_is_asked_for({ browser }) {
    const page = await browser.page({ language: "en" });
    await page.click("button[type=submit]");
    await page.getByText("Enter the token.").waitFor();
}

export async function a_requesters_token_does_not_open_the_window({ browser, city }) {
    const page = await browser.page({ language: "en" });
    await enter(page, city.token("portal"));
    await page.getByText("belongs to a requester").waitFor();
}

export async function an_operator_enters_and_leaves({ browser, city }) {
    const page = await browser.page();
    await enter(page, city.token("duty"));
    await page.locator("[data-tile=waiting]").waitFor();
    await page.getByRole("button", { name: "خروج" }).click();
    await page.locator("input[type=password]").waitFor();
    same(await page.evaluate(() => sessionStorage.getItem("estelam.token")), null, "the token is gone");
}

export async function a_reload_of_the_tab_keeps_the_session_and_the_page({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), hash: "#/parked" });
    await page.locator("h1").waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "کنار گذاشته‌ها" }).waitFor();
}

export async function language_is_switched_and_kept({ browser, city }) {
    const page = await browser.page({ token: city.token("duty") });
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { name: "Departments" }).waitFor();
    same(await page.evaluate(() => document.documentElement.dir), "ltr", "direction");
    await page.reload();
    await page.getByRole("heading", { name: "Departments" }).waitFor();
    same(await page.evaluate(() => document.documentElement.lang), "en", "language");
}

export async function a_refusal_for_now_at_a_reload_keeps_the_token({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-tile=waiting]").waitFor();
    let refused = 0;
    await page.route("**/v1/whoami", (route) => (refused++, route.fulfill({ status: 429, json: { code: "BUSY" } })));
    await page.reload();
    await until("the gateway to refuse", () => refused > 0);
    await page.unroute("**/v1/whoami");
    await page.locator("[data-tile=waiting]").waitFor();
}
