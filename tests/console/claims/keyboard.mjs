// keyboard.mjs - everything without a mouse: reachable, visible, and dialogs that keep the focus.
import { expect, same, until } from "../lib/report.mjs";

const focused = (page) => page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute("aria-label") || document.activeElement?.tagName);

async function tabTo(page, wanted, most = 80) {
    for (let n = 0; n < most; n++) {
        await page.keyboard.press("Tab");
        const pressed = await page.evaluate(() => document.activeElement?.matches("a, button"));
        if (pressed && (await focused(page))?.includes(wanted)) return;
    }
    throw new Error(`${most} times Tab do not reach "${wanted}"`);
}

export async function slash_goes_to_the_search_box({ browser, city }) {
    const page = await browser.page({ token: city.token("duty") });
    await page.locator("[data-tile=waiting]").waitFor();
    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.hasAttribute("data-search")), "the box has the focus");
    await page.keyboard.type("department:nosazi");
    await page.keyboard.press("Enter");
    await until("the search page", async () => page.url().includes("#/search?q=department"));
}

export async function the_first_tab_skips_to_the_content({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("[data-tile=waiting]").waitFor();
    await page.keyboard.press("Tab");
    same(await focused(page), "Skip to the content", "first stop");
    await page.keyboard.press("Enter");
    same(await page.evaluate(() => document.activeElement?.id), "content", "and then");
}

export async function whatever_has_the_focus_is_seen_to_have_it({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("tbody tr").first().waitFor();
    for (let n = 0; n < 25; n++) {
        await page.keyboard.press("Tab");
        const seen = await page.evaluate(() => {
            const e = document.activeElement;
            if (!e || e === document.body) return "body";
            const style = getComputedStyle(e);
            const box = e.getBoundingClientRect();
            return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 ? "" : e.outerHTML.slice(0, 120);
        });
        if (seen === "body") break;
        same(seen, "", `stop ${n}`);
    }
}

export async function a_department_is_paused_and_resumed_by_keyboard_alone({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en" });
    await page.locator("tbody tr").first().waitFor();
    await tabTo(page, "Power bargh");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Power" }).waitFor();
    for (const verb of ["Pause", "Resume"]) {
        await page.evaluate(() => document.getElementById("content").focus());
        await until(`${verb} is there`, async () => (await page.getByRole("button", { name: verb }).count()) === 1);
        await tabTo(page, verb);
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor();
        same(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA", "the dialog begins at the reason");
        await page.keyboard.type("by keyboard");
        await tabTo(page, verb, 5);
        await page.keyboard.press("Enter");
        await page.getByRole("dialog").waitFor({ state: "detached" });
    }
}

export async function a_dialog_keeps_the_focus_and_gives_it_back({ browser, city }) {
    const page = await browser.page({ token: city.token("duty"), language: "en", hash: "#/department/bargh" });
    const button = page.getByRole("button", { name: "Pause" });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    for (const key of ["Tab", "Tab", "Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"]) {
        await page.keyboard.press(key);
        expect(await page.evaluate(() => document.activeElement?.closest("dialog") !== null), `after ${key} the focus is inside`);
    }
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await until("the button has it again", () => page.evaluate(() => document.activeElement?.textContent?.includes("Pause")));
}
