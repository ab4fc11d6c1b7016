// span.ts - durations as people say them: two units at most, none of them needlessly fine.
import { fill, text } from "../text";
import { num } from "./number";

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const D = 24 * H;

function pair(big: string, n: number, small: string, m: number): string {
    const units = text().units;
    const first = fill(big, { n: num(n) });
    return m ? fill(units.and, { a: first, b: fill(small, { n: num(m) }) }) : first;
}

/* From milliseconds. Below a second in milliseconds, below ten seconds with a tenth. */
export function span(ms: number): string {
    const u = text().units;
    if (ms < 1) return fill(u.ms, { n: num(ms, 2) });
    if (ms < S) return fill(u.ms, { n: num(ms, ms < 10 ? 1 : 0) });
    if (ms < 10 * S) return fill(u.s, { n: num(ms / S, 1) });
    if (ms < MIN) return fill(u.s, { n: num(Math.floor(ms / S)) });
    if (ms < 10 * MIN) return pair(u.min, Math.floor(ms / MIN), u.s, Math.floor((ms % MIN) / S));
    if (ms < H) return fill(u.min, { n: num(Math.floor(ms / MIN)) });
    if (ms < D) return pair(u.h, Math.floor(ms / H), u.min, Math.floor((ms % H) / MIN));
    return pair(u.d, Math.floor(ms / D), u.h, ms < 10 * D ? Math.floor((ms % D) / H) : 0);
}

/* In its largest unit only: for a figure that is read across a room. */
export function brief(ms: number): string {
    const u = text().units;
    if (ms < MIN) return age(ms);
    if (ms < H) return fill(u.min, { n: num(Math.floor(ms / MIN)) });
    if (ms < D) return fill(u.h, { n: num(Math.floor(ms / H)) });
    return fill(u.d, { n: num(Math.floor(ms / D)) });
}

/* For ages that tick: whole seconds, and "now" for what is younger than two of them. */
export function age(ms: number): string {
    if (ms < 2 * S) return text().units.now;
    return span(ms < 10 * S ? Math.floor(ms / S) * S : ms);
}

export function ago(ms: number): string {
    return ms < 2 * S ? text().units.now : fill(text().units.ago, { age: age(ms) });
}
