// prefs.ts - what a reader chose and finds again: language and theme. Also what <html> says about both.
import { store } from "./store";

export type Language = "fa" | "en";
export type Theme = "system" | "light" | "dark";
export interface Prefs {
    language: Language;
    theme: Theme;
}

const KEY = "estelam.prefs";
const languages: readonly string[] = ["fa", "en"];
const themes: readonly string[] = ["system", "light", "dark"];

function read(): Prefs {
    let kept: Partial<Prefs> = {};
    try {
        kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Prefs>;
    } catch {
        // A damaged entry is as good as none.
    }
    return {
        language: languages.includes(kept.language ?? "") ? (kept.language as Language) : "fa",
        theme: themes.includes(kept.theme ?? "") ? (kept.theme as Theme) : "system",
    };
}

export const prefs = store<Prefs>(read());

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

/* "dark" as it looks now, whoever decided it. Charts are painted with it. */
export function themeNow(): "light" | "dark" {
    const { theme } = prefs.get();
    return theme === "system" ? (systemIsDark.matches ? "dark" : "light") : theme;
}

function show(): void {
    const { language } = prefs.get();
    const root = document.documentElement;
    root.lang = language;
    root.dir = language === "fa" ? "rtl" : "ltr";
    root.dataset.theme = themeNow();
}

export function prefer(change: Partial<Prefs>): void {
    const next = { ...prefs.get(), ...change };
    prefs.set(next);
    try {
        localStorage.setItem(KEY, JSON.stringify(next));
    } catch {
        // A browser that keeps nothing: the choice lasts as long as the page.
    }
}

prefs.listen(show);
systemIsDark.addEventListener("change", () => prefs.set({ ...prefs.get() }));
show();
