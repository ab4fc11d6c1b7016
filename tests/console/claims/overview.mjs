// overview.mjs - the city at a glance.
import { expect, until } from "../lib/report.mjs";

export async function five_tiles_tell_the_state_of_the_city({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    for (const tile of ["waiting", "oldest", "missing", "parked", "disk"]) await page.locator(`[data-tile=${tile}]`).waitFor();
    const disk = await page.locator("[data-tile=disk] .tile-value").textContent();
    expect(/%/.test(disk), `the disk tile says ${disk}`);
    const missing = await page.locator("[data-tile=missing]").textContent();
    expect(missing.includes("Metro"), `the agent of metro is missing, and the tile says ${missing}`);
}

export async function work_that_nobody_serves_is_a_red_banner({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    const receipt = await city.submit("metro.harim");
    const banner = page.locator(".banner-bad");
    await banner.getByText("waiting at Metro, and no agent serves them").waitFor();
    await banner.getByRole("link", { name: "Metro" }).waitFor();
    await city.ask("duty", "POST", `/v1/inquiries/${receipt.number}/cancel`, { reason: "tidying up" });
    await banner.waitFor({ state: "detached" });
}

export async function a_type_that_no_agent_takes_is_not_hidden_by_an_agent_for_another({ browser, city }) {
    const { geo } = city.samples.find((one) => one.type === "metro.harim").body;
    const { number } = await city.submit("shahrsazi.tafkik", { body: { nz: ["1-1-1-1-0-0-0"], geo, parts: 2 } });
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("tr", { hasText: "District planning" }).getByText("Partly unserved").waitFor();
    await page.locator(".banner-bad", { hasText: "District planning" }).waitFor();
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}

export async function departments_stand_by_the_age_of_their_oldest({ browser, city }) {
    await city.agentStop("gas");
    const first = await city.submit("metro.harim");
    const second = await city.submit("gas.harim");
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    const rows = page.locator("tbody tr td:first-child");
    await until("metro before gas", async () => {
        const names = await rows.allTextContents();
        return names[0].includes("metro") && names[1].includes("gas");
    });
    for (const { number } of [first, second]) await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
    city.agentStart("gas");
}

export async function departments_are_found_however_their_name_is_typed({ browser, city }) {
    const page = await browser.page({ token: city.token("duty") });
    await page.getByPlaceholder("نام واحد").fill("درامد");
    await until("one row", async () => (await page.locator("tbody tr").count()) === 1);
    await page.getByPlaceholder("نام واحد").fill("نظام مهندسي");
    await until("the engineering organisation by an Arabic ye", async () => (await page.locator("tbody").textContent()).includes("nezam"));
    for (const [typed, name] of [["بوستان ها", "fazasabz"], ["بوستان\u200cها", "fazasabz"], ["تا\u0654مین", "tamin"], ["\u2068آب و فاضلاب\u2069".normalize("NFD"), "abfa"]]) {
        await page.getByPlaceholder("نام واحد").fill(typed);
        await until(`${name} by ${typed}`, async () => (await page.locator("tbody tr").count()) === 1 && (await page.locator("tbody").textContent()).includes(name));
    }
}

export async function the_depth_chart_grows_while_one_looks({ browser, city }) {
    const page = await browser.page({ token: city.token("duty") });
    await page.locator(".chart canvas").first().waitFor();
    const count = () => page.evaluate(() => JSON.parse(localStorage.getItem("estelam.samples") ?? "[]").length);
    await page.reload();
    await until("two samples, kept over a reload", async () => {
        await page.evaluate(() => dispatchEvent(new Event("pagehide")));
        return (await count()) >= 2;
    }, 20);
}

export async function the_red_banner_tells_how_many_more_there_are({ browser, city }) {
    const page = await browser.page({ token: city.token("watch"), language: "en", hash: "#/system" });
    const rows = city.departments().slice(0, 10).map((department) =>
        ({ department, district: 0, waiting: 1, delayed: 0, leased: 0, parked: 0, oldest_at: new Date().toISOString(), agents: 0, paused: false, unserved: 1 }));
    await page.route(/\/v1\/queues(\?|$)/, (route) => route.fulfill({ json: { rows, next: null } }));
    await page.evaluate(() => (location.hash = "#/"));
    const banner = page.locator(".banner-bad");
    await banner.getByText("at 10 departments").waitFor();
    await banner.getByText("and 2 more").waitFor();
}

/* An hour slow, and an hour fast: ages are told by the gateway's clock. */
export async function the_clock_of_ones_own_machine_is_not_trusted({ browser, city }) {
    const { number } = await city.submit("metro.harim");
    for (const hours of [-1, 1]) {
        const page = await browser.page({ language: "en" });
        await page.addInitScript((ms) => {
            const real = Date.now;
            Date.now = () => real() + ms;
        }, hours * 3_600_000);
        await page.evaluate((token) => sessionStorage.setItem("estelam.token", token), city.token("watch"));
        await page.reload();
        const tile = page.locator("[data-tile=oldest]");
        await until(`an age of seconds on a machine that is ${hours} h off`, async () => /^\d+ s$/.test(await tile.locator(".tile-value").textContent()));
        expect((await tile.getAttribute("class")).includes("tile-calm"), "and its colour");
    }
    await city.ask("duty", "POST", `/v1/inquiries/${number}/cancel`, { reason: "tidying up" });
}
