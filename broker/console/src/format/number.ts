// number.ts - numbers in the reader's script.
import { isPersian, text } from "../text";

const makers = new Map<string, Intl.NumberFormat>();

function maker(digits: number): Intl.NumberFormat {
    const locale = isPersian() ? "fa-IR" : "en-GB";
    const key = `${locale}/${digits}`;
    let made = makers.get(key);
    if (!made) {
        made = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
        makers.set(key, made);
    }
    return made;
}

export function num(value: number | null | undefined, digits = 0): string {
    return value === null || value === undefined || Number.isNaN(value) ? text().units.none : maker(digits).format(value);
}

/* Digits only: for numbers that name something, such as an inquiry's, and for dates and codes. */
export function digits(value: string | number): string {
    const plain = String(value);
    return isPersian() ? plain.replace(/\d/g, (d) => "۰۱۲۳۴۵۶۷۸۹"[Number(d)] ?? d) : plain;
}

export function percent(part: number): string {
    return new Intl.NumberFormat(isPersian() ? "fa-IR" : "en-GB", { style: "percent", maximumFractionDigits: 0 }).format(part);
}

export function bytes(count: number): string {
    let value = count;
    let unit = 0;
    const names = text().units.bytes;
    while (value >= 1024 && unit < names.length - 1) {
        value /= 1024;
        unit++;
    }
    return `${num(value, value < 10 && unit > 0 ? 1 : 0)} ${names[unit]}`;
}
