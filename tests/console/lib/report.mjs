// report.mjs - one line a claim; the sum at the end in cmocka's words, which `./run test` counts.

/* Runs claims one after the other, each within its time; what a claim throws is why it does not hold. */
export async function judge(claims, context, { seconds = 60 } = {}) {
    const failed = [];
    let passed = 0;
    for (const [name, claim] of claims) {
        const began = Date.now();
        let timer;
        const late = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), seconds * 1000);
        });
        try {
            await Promise.race([claim(context), late]);
            passed++;
            console.log(`ok      ${name} (${Date.now() - began} ms)`);
        } catch (error) {
            failed.push(name);
            console.log(`FAILED  ${name}: ${error.stack ?? error}`);
        } finally {
            clearTimeout(timer);
            await context.browser.closePages();
        }
    }
    console.log(`[  PASSED  ] ${passed} test(s).`);
    if (failed.length) console.log(`[  FAILED  ] ${failed.length} test(s), listed below:\n${failed.map((n) => `[  FAILED  ] ${n}`).join("\n")}`);
    return failed.length === 0 && passed > 0;
}

export function expect(holds, message) {
    if (!holds) throw new Error(message);
}

export function same(seen, wanted, what) {
    expect(Object.is(seen, wanted), `${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
}

/* Asks again until it holds: an event with a deadline, no fixed wait. */
export async function until(what, question, seconds = 15) {
    const end = Date.now() + seconds * 1000;
    let last;
    do {
        try {
            last = await question();
            if (last) return last;
        } catch (error) {
            last = error;
        }
        await new Promise((done) => setTimeout(done, 60));
    } while (Date.now() < end);
    throw new Error(`waited ${seconds} s in vain for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}
