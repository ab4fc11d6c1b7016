// system.mjs - the broker itself.
import { expect, same, until } from "../lib/report.mjs";

const open = (browser, city, token = "chief") => browser.page({ token: city.token(token), language: "en", hash: "#/system" });

export async function versions_configuration_and_keys_are_shown({ browser, city }) {
    const page = await open(browser, city);
    for (const title of ["Versions", "Store and process", "Search index", "Keys and their expiry", "Configuration"])
        await page.getByRole("heading", { name: title }).waitFor();
    await page.getByRole("cell", { name: "nosazi-agent" }).waitFor();
    const config = await page.getByRole("region", { name: "Configuration" }).first().textContent();
    expect(config.includes("tehran"), "the city is in it");
    const secret = /secret: "(.*)"/.exec((await import("node:fs")).readFileSync(`${city.dir}/broker.key`, "utf8"))?.[1];
    expect(secret && !(await page.content()).includes(secret), "and no secret");
}

export async function draining_begins_and_ends_with_a_reason({ browser, city }) {
    const page = await open(browser, city);
    const dialog = page.getByRole("dialog");
    await page.getByRole("button", { name: "Begin draining" }).click();
    await dialog.getByLabel("Reason").fill("a new kernel tonight");
    await dialog.getByRole("button", { name: "Begin draining" }).click();
    await page.locator("[data-draining=yes]").waitFor();
    const refused = await city.submit("nosazi.bedehi").catch((error) => error.message);
    expect(String(refused).includes("DRAINING"), `a new inquiry: ${JSON.stringify(refused)}`);
    await page.getByRole("button", { name: "End draining" }).click();
    await dialog.getByLabel("Reason").fill("done");
    await dialog.getByRole("button", { name: "End draining" }).click();
    await page.locator("[data-draining=no]").waitFor();
    await city.ended((await city.submit("nosazi.bedehi")).number);
}

export async function the_index_tells_its_lag_and_is_built_again({ browser, city }) {
    const page = await open(browser, city);
    const panel = page.getByRole("region", { name: "Search index" });
    await panel.getByText("Level with the log").waitFor();
    await panel.getByRole("button", { name: "Rebuild the index" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("after a restore");
    await dialog.getByRole("button", { name: "Rebuild", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    await panel.getByText("Level with the log").waitFor();
    const { number } = await city.submit("nosazi.bedehi");
    await until("search finds what came after", async () => (await city.get("duty", `/v1/inquiries?q=number:${number}`)).rows.length === 1);
}

export async function reasons_are_kept_in_the_log_with_who_gave_them({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    const page = await browser.page({ token: city.token("duty"), hash: `#/inquiry/${number}` });
    await page.getByRole("button", { name: "لغو" }).click();
    await page.getByRole("dialog").getByLabel("دلیل").fill("درخواست تکراری");
    await page.getByRole("dialog").getByRole("button", { name: "لغو استعلام" }).click();
    const { rows } = await until("the event", async () => {
        const timeline = await city.get("chief", `/v1/inquiries/${number}/timeline`);
        return timeline.rows.some((row) => row.event === "cancelled") && timeline;
    });
    const last = rows.find((row) => row.event === "cancelled");
    same(`${last.actor}: ${last.text}`, "duty: درخواست تکراری", "who and why");
}

export async function keys_are_read_to_the_last({ browser, city }) {
    const page = await browser.page({ token: city.token("chief"), language: "en" });
    const key = (account) => ({ account, role: "requester", level: null, department: null, key: "abcdefgh", from_at: null, until_at: null, sessions: 0 });
    await page.route(/\/v1\/keys(\?|$)/, (route) =>
        route.fulfill({ json: route.request().url().includes("after=1") ? { rows: [key("second-page")], next: null } : { rows: [key("first-page")], next: "1" } }));
    await page.evaluate(() => (location.hash = "#/system"));
    for (const account of ["first-page", "second-page"]) await page.getByRole("cell", { name: account }).waitFor();
}

export async function a_drain_that_a_colleague_began_is_not_ended_by_mistake({ browser, city }) {
    const page = await browser.page({ token: city.token("chief"), language: "en", hash: "#/system", before: (one) => one.clock.install() });
    await page.locator("[data-draining=no]").waitFor();
    await page.getByRole("button", { name: "Begin draining" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("a new kernel tonight");
    await city.ask("chief", "POST", "/v1/drain", { on: true, reason: "a colleague was quicker" });
    try {
        await page.clock.fastForward(10_000); // figures are read so rarely
        await page.locator("[data-draining=yes]").waitFor();
        await dialog.getByText("has begun already").waitFor();
        expect(await dialog.getByRole("button", { name: "Begin draining" }).isDisabled(), "there is nothing left to begin");
    } finally {
        await city.ask("chief", "POST", "/v1/drain", { on: false, reason: "tidying up" });
    }
}
