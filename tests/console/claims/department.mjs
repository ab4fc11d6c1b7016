// department.mjs - one department, and the actions on it.
import { expect, until } from "../lib/report.mjs";

const open = (browser, city, name, more) => browser.page({ token: city.token("duty"), language: "en", hash: `#/department/${name}`, ...more });

export async function a_department_shows_depth_age_and_answer_times({ browser, city }) {
    const { number } = await city.submit("nosazi.bedehi");
    await city.ended(number);
    const page = await open(browser, city, "nosazi");
    for (const title of ["Queue depth", "Age of the oldest waiting", "Answer time"])
        await page.getByRole("region", { name: title }).or(page.getByRole("figure", { name: title })).first().waitFor();
    await page.getByText("From received to answered").waitFor();
    await until("three charts", async () => (await page.locator(".chart canvas").count()) === 3);
}

export async function its_agents_and_their_last_sign_are_listed({ browser, city }) {
    const page = await open(browser, city, "nosazi");
    await page.getByRole("cell", { name: "nosazi-agent" }).waitFor();
}

export async function a_department_without_agents_says_how_to_start_one({ browser, city }) {
    const page = await open(browser, city, "metro");
    await page.getByText("No agent is connected").waitFor();
    await page.getByText("estelam-agent --config metro.yaml --check").waitFor();
}

export async function pausing_asks_for_a_reason_and_stops_new_leases({ browser, city }) {
    const page = await open(browser, city, "archive");
    await page.getByRole("button", { name: "Pause" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Pause" }).click();
    await dialog.getByText("Write a reason.").waitFor();
    await dialog.getByLabel("Reason").fill("moving the archive's database");
    await dialog.getByRole("button", { name: "Pause" }).click();
    await page.locator(".banner-warn", { hasText: "Paused" }).waitFor();
    const { rows } = await city.get("duty", "/v1/queues?department=archive");
    expect(rows.some((row) => Number(row.paused) === 1), `the broker says ${JSON.stringify(rows)}`);
    const { number } = await city.submit("archive.savabegh");
    await until("it waits", async () => (await page.locator("[data-fact=waiting] dd").textContent()) === "1");

    await page.getByRole("button", { name: "Resume" }).click();
    await dialog.getByLabel("Reason").fill("the database is back");
    await dialog.getByRole("button", { name: "Resume" }).click();
    await page.locator(".banner-warn").waitFor({ state: "detached" });
    await city.ended(number);
}

export async function a_test_inquiry_is_asked_for_real({ browser, city }) {
    const page = await open(browser, city, "nosazi");
    await page.getByRole("button", { name: "Test inquiry" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Sample").waitFor();
    await dialog.getByLabel("Reason").fill("after the agent's upgrade");
    await dialog.getByRole("button", { name: "Send" }).click();
    await page.getByRole("link", { name: "See its timeline" }).click();
    await page.locator("[data-step=answered]").waitFor();
}

export async function an_unknown_department_is_told({ browser, city }) {
    const page = await open(browser, city, "nobody");
    await page.getByText("There is no department named “nobody”").waitFor();
}

export async function an_open_dialog_does_not_turn_into_the_opposite_act({ browser, city }) {
    const page = await open(browser, city, "archive");
    await page.getByRole("button", { name: "Pause" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("moving the archive's database");
    await city.ask("chief", "POST", "/v1/departments/archive/pause", { reason: "a colleague was quicker" });
    try {
        await page.locator(".banner-warn", { hasText: "Paused:" }).waitFor();
        await dialog.getByText("is paused already").waitFor();
        expect(await dialog.getByRole("button", { name: "Pause" }).isDisabled(), "there is nothing left to pause");
    } finally {
        await city.ask("chief", "POST", "/v1/departments/archive/resume", { reason: "tidying up" });
    }
}

export async function a_dialog_stays_until_its_act_has_been_answered({ browser, city }) {
    const page = await open(browser, city, "archive");
    let answer;
    const asked = new Promise((done) => page.route("**/pause", (route) => new Promise((go) => ((answer = () => go(route.fulfill({ status: 503, json: { code: "BUSY" } }))), done()))));
    await page.getByRole("button", { name: "Pause" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("moving the archive's database");
    await dialog.getByRole("button", { name: "Pause" }).click();
    await asked;
    for (let n = 0; n < 3; n++) await page.keyboard.press("Escape");
    expect(await dialog.getByRole("button", { name: "Back" }).isDisabled(), "there is no way back while it is under way");
    await answer();
    await dialog.getByText("The broker is full").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
}
