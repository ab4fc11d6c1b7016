// fold.mjs - the console compares text as the broker does: both are held to tests/unit/index/folds.tsv. Needs no
// browser, only the console's own esbuild, which reads its TypeScript; exit status 77 where that is not there.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const esbuild = join(root, "broker/console/node_modules/esbuild/lib/main.js");
if (!existsSync(esbuild)) {
    console.log(`skipped: ${esbuild} is not there; run \`cmake --build build --target console\``);
    process.exit(77);
}
const { transformSync } = await import(pathToFileURL(esbuild));
const source = readFileSync(join(root, "broker/console/src/format/fold.ts"), "utf8");
const { code } = transformSync(source, { loader: "ts", format: "esm", charset: "utf8" });
const { fold, foldName } = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
const { expect, judge, same } = await import("./lib/report.mjs");

const unescaped = (text) => text.replace(/\\u([0-9A-F]{4})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
const vectors = readFileSync(join(root, "tests/unit/index/folds.tsv"), "utf8")
    .split("\n")
    .filter((line) => !line.startsWith("#") && line.includes("\t"))
    .map((line) => line.split("\t").map(unescaped));

const claims = {
    text_is_folded_as_the_shared_vectors_say() {
        expect(vectors.length > 30, `only ${vectors.length} vectors`);
        for (const [typed, folded] of vectors) {
            same(fold(typed), folded, `the folded form of ${JSON.stringify(typed)}`);
            same(fold(folded), folded, "what was folded");
        }
    },
    both_forms_of_every_arabic_letter_fold_alike() {
        for (let c = 0x600; c < 0x780; c++) {
            const letter = String.fromCharCode(c);
            same(fold(letter.normalize("NFD")), fold(letter), `U+${c.toString(16)} taken apart`);
        }
    },
    a_name_is_found_with_a_blank_for_its_joiner() {
        same(foldName("آتش نشانی"), foldName("آتش\u200cنشانی"), "the fire department");
    },
};
process.exit((await judge(Object.entries(claims), { browser: { closePages() {} } })) ? 0 : 1);
