// filter.ts - the filter's text and the fields beside it are two views of one thing: a field writes its term
// into the text, and is read back from it. What the text means is for the broker to say.
import { latinDigits } from "./fold";

/* Terms as they stand between blanks; a quote keeps blanks together. */
export function terms(text: string): string[] {
    return text.match(/(?:"(?:\\.|[^"\\])*"?|[^\s"])+/g) ?? [];
}

const isOf = (term: string, field: string): boolean => term.toLowerCase().startsWith(field + ":");

export function termValue(text: string, field: string): string {
    const term = terms(text).find((one) => isOf(one, field));
    if (!term) return "";
    const value = term.slice(field.length + 1);
    return value.startsWith('"') ? value.slice(1, -1).replace(/\\(["\\])/g, "$1") : value;
}

/* A backslash is one outside quotes; a comma, in either script, would part two values. */
function quoted(value: string): string {
    return /[\s",،]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

/* The text with the field's term put in the old one's place, at the end, or taken out. */
export function withTerm(text: string, field: string, value: string): string {
    const all = terms(text);
    const at = all.findIndex((one) => isOf(one, field));
    const term = value.trim() ? `${field}:${quoted(value.trim())}` : "";
    if (at < 0) return [...all, term].filter(Boolean).join(" ");
    return [...all.slice(0, at), term, ...all.slice(at + 1).filter((one) => !isOf(one, field))].filter(Boolean).join(" ");
}

/* `received:` as two days; a form with signs stays in the text and leaves the fields empty. */
export function stretch(text: string): [string, string] {
    const value = termValue(text, "received");
    if (/[<>]/.test(value) || value.includes(",")) return ["", ""];
    const at = value.indexOf("..");
    return at < 0 ? [value, value] : [value.slice(0, at), value.slice(at + 2)];
}

export function withStretch(text: string, from: string, to: string): string {
    const a = from.trim();
    const b = to.trim();
    return withTerm(text, "received", a || b ? (a === b ? a : `${a}..${b}`) : "");
}

const JALALI_BEFORE = 1700;

/* A day as the broker reads it, from one as people write it: 1405/09/04 or 2026-11-26, with two digits each. What
 * is no day stays as it is, for the broker to refuse. */
export function dayTerm(typed: string): string {
    const plain = latinDigits(typed).replace(/\p{Cf}/gu, "").trim();
    const [, year, month = "", day = ""] = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(plain) ?? [];
    if (!year) return plain;
    return [year, month.padStart(2, "0"), day.padStart(2, "0")].join(Number(year) < JALALI_BEFORE ? "/" : "-");
}
