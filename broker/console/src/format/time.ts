// time.ts - instants as the city reads them: Asia/Tehran, Jalali in Persian, Gregorian in English.
// The tooltip always tells UTC, and in English the Jalali date beside it.
import { isPersian } from "../text";

const ZONE = "Asia/Tehran";
const JALALI = "fa-IR-u-ca-persian";

export type TimeForm = "full" | "minute" | "date" | "day" | "clock" | "short";

const formats: Record<Exclude<TimeForm, "minute">, Intl.DateTimeFormatOptions> = {
    full: { year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    day: { year: "numeric", month: "2-digit", day: "2-digit" },
    date: { year: "numeric", month: "long", day: "numeric" },
    clock: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
    short: { hour: "2-digit", minute: "2-digit" },
};

const makers = new Map<string, Intl.DateTimeFormat>();

function maker(locale: string, form: Exclude<TimeForm, "minute">): Intl.DateTimeFormat {
    const key = locale + form;
    let made = makers.get(key);
    if (!made) {
        made = new Intl.DateTimeFormat(locale, { ...formats[form], timeZone: ZONE, hourCycle: "h23" });
        makers.set(key, made);
    }
    return made;
}

export function ms(at: string | null | undefined): number {
    return at ? Date.parse(at) : Number.NaN;
}

/* "minute" is put together here: Intl would part date and time with a Latin comma. */
export function timeText(at: number, form: TimeForm): string {
    if (form === "minute") return `${timeText(at, "day")} ${timeText(at, "short")}`;
    return maker(isPersian() ? JALALI : "en-GB", form).format(at);
}

/* Below the second, where two events lie closer than that. */
export function clockWithMs(at: number): string {
    const fraction = String(Math.floor(at % 1000)).padStart(3, "0");
    const inScript = isPersian() ? fraction.replace(/\d/g, (d) => "۰۱۲۳۴۵۶۷۸۹"[Number(d)] ?? d) : fraction;
    return timeText(at, "clock") + (isPersian() ? "٫" : ".") + inScript;
}

export function timeTip(at: number): string {
    const utc = new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");
    if (isPersian()) return utc;
    const jalali = new Intl.DateTimeFormat("en-u-ca-persian-nu-latn", {
        year: "numeric", month: "2-digit", day: "2-digit", timeZone: ZONE,
    }).formatToParts(at);
    const part = (type: string): string => jalali.find((p) => p.type === type)?.value ?? "";
    return `${utc} · ${part("year")}/${part("month")}/${part("day")}`;
}
