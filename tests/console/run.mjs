// run.mjs - every claim about the console, one line each; exit status 1 when one does not hold, 77 when what
// it needs is not there.
//
//     node run.mjs [--bin FOLDER] [--console FOLDER] [--only FILE-OR-PART-OF-A-NAME] [--screenshots FOLDER]
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const argument = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
};
const bin = resolve(argument("--bin", join(root, "build/bin")));
const console_ = resolve(argument("--console", join(root, "build/share/estelam/console")));
const only = argument("--only");
const shots = argument("--screenshots");

function need(path, how) {
    if (existsSync(path)) return;
    console.log(`skipped: ${path} is not there; ${how}`);
    process.exit(77);
}
need(join(here, "node_modules/playwright-core"), "run `npm ci --ignore-scripts` in tests/console");
need(process.env.CHROMIUM ?? "/usr/bin/chromium", "install Debian's chromium");
need(join(bin, "estelam-gateway"), "build first");
need(join(console_, "index.html"), "run `cmake --build build --target console`");

const { City } = await import("./lib/city.mjs");
const { Browser } = await import("./lib/browser.mjs");
const { judge } = await import("./lib/report.mjs");

const city = await City.open(root, bin, console_);
let held = false;
let browser;
const done = async () => {
    await browser?.close();
    await city.close();
};
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void done().finally(() => process.exit(1)));
try {
    await city.brokerStart();
    for (const department of city.departments().filter((name) => name !== "metro")) city.agentStart(department);
    await city.gatewayStart();
    browser = await Browser.open(city.url);
    const context = { city, browser, console: console_ };
    if (shots) {
        const { screenshots } = await import("./screenshots.mjs");
        await screenshots(context, resolve(shots));
        held = true;
    } else {
        const files = ["login", "overview", "department", "inquiry", "search", "parked", "system", "roles", "live", "trouble", "keyboard", "look", "weight"];
        const claims = [];
        for (const file of files) {
            const all = Object.entries(await import(`./claims/${file}.mjs`));
            claims.push(...all.filter(([name]) => !only || file === only || name.includes(only)));
        }
        held = await judge(claims, context);
    }
} finally {
    await done();
}
process.exit(held ? 0 : 1);
